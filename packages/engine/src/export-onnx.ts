import type { OnnxModelBuilder } from './onnx/model-builder.ts';

/**
 * Begins an ONNX model file (operator set 18): nodes of one's own around forward passes written in ordinary tfjs, which
 * are traced and get their parameters inside.
 */
export async function exportOnnx(name: string): Promise<OnnxModelBuilder> {
  const { onnxModelBuilder } = await import('./onnx/model-builder.ts');
  return onnxModelBuilder(name);
}
