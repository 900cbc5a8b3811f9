import { encodeModel } from './proto.ts';
import { onnxWriter, valueInfo } from './writer.ts';

/** A tensor of unknown size. */
export interface CopiedTensor {
  name: string;
  dtype: 'float32' | 'int32';
  /** Number of axes. */
  rank: number;
}

/** A model that gives every input `NAME` as an output `NAME.out`: what moves tensors to a device and back. */
export function copyModel(tensors: readonly CopiedTensor[]): Uint8Array {
  const w = onnxWriter();
  const declare = (name: string, { dtype, rank }: CopiedTensor, i: number) =>
    valueInfo(
      name,
      dtype,
      Array.from({ length: rank }, (_, axis) => `size${i}_${axis}`),
    );
  const inputs = tensors.map((one, i) => declare(one.name, one, i));
  const outputs = tensors.map((one, i) => declare(w.rename(one.name, `${one.name}.out`), one, i));
  return encodeModel(w.graph('copy', inputs, outputs));
}
