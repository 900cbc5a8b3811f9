import { onnxForward } from '../onnxruntime/forward.ts';
import { onnxTraining } from '../onnxruntime/training.ts';
import type { Engine } from '../types.ts';
import { onnxruntimeIdentity } from './identity.ts';

/** Steps traced once and run by onnxruntime on the processor: compiled, and nothing to install but npm packages. */
export async function loadOnnxruntime(): Promise<Engine> {
  return {
    ...onnxruntimeIdentity(),
    compileTraining: onnxTraining,
    compileForward: async (spec) => onnxForward(spec, 'onnxruntime'),
  };
}
