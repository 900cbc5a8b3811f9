import { copyModel } from '../onnx/copy-model.ts';
import { openSession, type Feeds, type Session } from './session.ts';
import type { Arrays } from './state-arrays.ts';
import { toTensors } from './tensors.ts';

/** Tensors in the memory of the GPU. */
export interface GpuTensors {
  tensors: Feeds;
  dispose(): void;
}

/** A copy of arrays in the memory of the GPU, under the same names. */
export async function toGpu(arrays: Arrays): Promise<GpuTensors> {
  const { tensors, session } = await copy(toTensors(arrays), true);
  return {
    tensors,
    dispose() {
      disposeTensors(tensors);
      // Last: memory belongs to the session that allocated it, and onnxruntime crashes where it is freed after it.
      session?.dispose();
    },
  };
}

/** The values of tensors that lie in the memory of the GPU. */
export async function fromGpu(gpuTensors: Feeds): Promise<Record<string, Float32Array>> {
  const { tensors, session } = await copy(gpuTensors, false);
  session?.dispose();
  return Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array]));
}

export function disposeTensors(tensors: Feeds): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

async function copy(feeds: Feeds, keep: boolean): Promise<{ tensors: Feeds; session?: Session }> {
  const names = Object.keys(feeds);
  if (names.length === 0) return { tensors: {} };
  const model = copyModel(
    names.map((name) => ({ name, dtype: feeds[name]!.type as 'float32' | 'int32', rank: feeds[name]!.dims.length })),
  );
  const session = await openSession(model, { engine: 'webgpu', keep: keep ? names.map((name) => `${name}.out`) : [] });
  try {
    const results = await session.run(feeds, 'the rows of a shard in its memory (shardMiB)');
    return { session, tensors: Object.fromEntries(names.map((name) => [name, results[`${name}.out`]!])) };
  } catch (error) {
    session.dispose();
    throw error;
  }
}
