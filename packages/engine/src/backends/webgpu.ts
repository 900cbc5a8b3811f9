import { engineUnavailable } from '../engine-unavailable.ts';
import { onnxForward } from '../onnxruntime/forward.ts';
import { toGpu } from '../onnxruntime/gpu-copies.ts';
import { gpuTraining } from '../onnxruntime/gpu-training.ts';
import type { Engine } from '../types.ts';
import { webgpuIdentity } from './identity.ts';
import { GPU_REMEDY } from './vulkan.ts';

/** Steps traced once and run by onnxruntime on a GPU, through Vulkan, Metal or Direct3D: no CUDA, nothing to install. */
export async function loadWebgpu(): Promise<Engine> {
  try {
    // Whether a driver has a GPU behind it shows when one is asked for.
    // It is kept, and the device with it: another session need not look for one again.
    await toGpu({ probe: { dtype: 'float32', values: Float32Array.of(1), shape: [1] } });
  } catch (cause) {
    const reason = /adapter/i.test(String(cause)) ? 'no driver of this machine offers a GPU' : String(cause);
    throw engineUnavailable('webgpu', reason, { remedy: GPU_REMEDY, cause });
  }
  return {
    ...webgpuIdentity(),
    compileTraining: gpuTraining,
    compileForward: async (spec) => onnxForward(spec, 'webgpu'),
  };
}
