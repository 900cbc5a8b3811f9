import type { DataArray, ForwardFunction, ParamArrays } from './types.ts';

/** What a model file is made from. */
export interface ExportSpec {
  params: ParamArrays;
  forward: ForwardFunction;
  /** Names of the inputs, type and shape of one row of each. */
  inputs: Record<string, { rowShape: number[]; dtype: DataArray['dtype'] }>;
  /** Kept in the file as key and value. */
  metadata?: Record<string, string>;
}

/**
 * A forward pass as an ONNX model (operator set 18), parameters inside, for batches of any number of rows. Its inputs
 * and outputs have the names that the forward function uses; random numbers, if it draws any, are inputs `random/N`.
 *
 * @throws STEP_UNTRACEABLE an operation that ONNX cannot express, with the line
 */
export async function exportOnnx(spec: ExportSpec): Promise<Uint8Array> {
  const { inferenceModel } = await import('./onnx/inference-model.ts');
  return inferenceModel(spec, spec.inputs, { metadata: spec.metadata }).model;
}
