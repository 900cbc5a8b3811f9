import { Tensor } from 'onnxruntime-node';

import { compiledForward } from '../compiled/forward.ts';
import { inferenceModel, outputName } from '../onnx/inference-model.ts';
import { threadsFor } from '../threads.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { openSession, runSession, type Feeds } from './session.ts';

const tensor = ({ dtype, values, shape }: DataArray): Tensor => new Tensor(dtype, values as never, shape);

/** A forward pass run by onnxruntime, its parameters fed with every batch. */
export const onnxForward = (spec: ForwardSpec): CompiledForward =>
  compiledForward(spec, async (data, layout) => {
    const { model, ...inference } = inferenceModel(spec, data, { paramInputs: true });
    // Batches are small pieces of work: `auto` is one thread for them.
    const session = await openSession(model, threadsFor(0));
    const names = Object.keys(inference.outputs).map((name) => outputName(name, data));
    let params: Feeds = {};
    return {
      ...inference,
      async run(batch, random) {
        const feeds: Feeds = { ...params };
        for (const [name, a] of Object.entries(batch)) feeds[name] = tensor(a);
        random.forEach((a, i) => (feeds[`random/${i}`] = tensor(a)));
        const results = await runSession(session, feeds, `batches of ${spec.batchSize ?? 4096} rows`);
        return names.map((name) => results[name]!.data as Float32Array);
      },
      writeParams(flat) {
        params = Object.fromEntries(
          layout.slices.map(({ name, shape, start, end }) => [
            `param/${name}`,
            new Tensor('float32', flat.subarray(start, end), shape),
          ]),
        );
      },
      dispose: () => void session.release(),
    };
  });
