import { compiledForward } from '../compiled/forward.ts';
import { inferenceModel, outputName } from '../onnx/inference-model.ts';
import { threadsFor } from '../threads.ts';
import type { CompiledForward, ForwardSpec } from '../types.ts';
import { heldOnGpu } from './held-on-gpu.ts';
import { openSession, type Feeds, type SessionTarget } from './session.ts';
import { layoutArrays } from './state-arrays.ts';
import { toTensor, toTensors } from './tensors.ts';

/** A forward pass run by onnxruntime, its parameters fed with every batch; on a GPU they stay in its memory. */
export const onnxForward = (spec: ForwardSpec, engine: SessionTarget['engine']): CompiledForward =>
  compiledForward(spec, async (data, layout) => {
    const gpu = engine === 'webgpu' ? heldOnGpu() : undefined;
    const { model, ...inference } = inferenceModel(spec, data, { paramInputs: true, gpu: gpu !== undefined });
    // Batches are small pieces of work: `auto` is one thread for them.
    const session = await openSession(
      model,
      engine === 'webgpu' ? { engine, keep: [] } : { engine, threads: threadsFor(0) },
    );
    const names = Object.keys(inference.outputs).map((name) => outputName(name, data));
    let params: Feeds = {};
    return {
      ...inference,
      async run(batch, random) {
        const feeds = { ...(gpu ? await gpu.tensors() : params), ...toTensors(batch) };
        random.forEach((a, i) => (feeds[`random/${i}`] = toTensor(a)));
        const results = await session.run(feeds, `batches of ${spec.batchSize ?? 4096} rows`);
        return names.map((name) => results[name]!.data as Float32Array);
      },
      writeParams(flat) {
        const arrays = layoutArrays('param', layout, flat);
        if (gpu) gpu.write(arrays);
        else params = toTensors(arrays);
      },
      dispose() {
        gpu?.dispose();
        session.dispose();
      },
    };
  });
