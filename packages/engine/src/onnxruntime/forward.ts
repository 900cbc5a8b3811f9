import { compiledForward } from '../compiled/forward.ts';
import { inferenceModel, outputName } from '../onnx/inference-model.ts';
import { threadsFor } from '../threads.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { toGpu, type GpuTensors } from './gpu-copies.ts';
import { openSession, type SessionTarget } from './session.ts';
import { toTensor, toTensors } from './tensors.ts';

/** A forward pass run by onnxruntime, its parameters fed with every batch; on a GPU they stay in its memory. */
export const onnxForward = (spec: ForwardSpec, engine: SessionTarget['engine']): CompiledForward =>
  compiledForward(spec, async (data, layout) => {
    const onGpu = engine === 'webgpu';
    const { model, ...inference } = inferenceModel(spec, data, { paramInputs: true, gpu: onGpu });
    // Batches are small pieces of work: `auto` is one thread for them.
    const session = await openSession(model, onGpu ? { engine, keep: [] } : { engine, threads: threadsFor(0) });
    const names = Object.keys(inference.outputs).map((name) => outputName(name, data));
    let params: Promise<GpuTensors> | undefined;
    const drop = () =>
      void params?.then(
        (one) => one.dispose(),
        () => undefined,
      );
    return {
      ...inference,
      async run(batch, random) {
        const feeds = { ...(await params)?.tensors, ...toTensors(batch) };
        random.forEach((a, i) => (feeds[`random/${i}`] = toTensor(a)));
        const results = await session.run(feeds, `batches of ${spec.batchSize ?? 4096} rows`);
        return names.map((name) => results[name]!.data as Float32Array);
      },
      writeParams(flat) {
        drop();
        const arrays = Object.fromEntries(
          layout.slices.map(({ name, shape, start, end }): [string, DataArray] => [
            `param/${name}`,
            { dtype: 'float32', values: flat.subarray(start, end), shape },
          ]),
        );
        params = onGpu ? toGpu(arrays) : Promise.resolve({ tensors: toTensors(arrays), dispose: () => undefined });
      },
      dispose() {
        drop();
        session.dispose();
      },
    };
  });
