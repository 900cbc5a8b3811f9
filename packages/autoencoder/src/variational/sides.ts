import type { StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { CONV_ROWS_AT_ONCE, convSides } from '../network/bodies/conv-sides.ts';
import { buildResidualSide, residualSide } from '../network/bodies/residual.ts';
import type { ParamBuilder } from '../network/init.ts';
import { dense, type Params } from '../network/layers.ts';
import type { NetworkSpec } from '../network/network.ts';
import { tabularInputWidth } from '../network/tabular.ts';
import type { VectorColumn } from './network.ts';

/** What a decoder's layers give: what the heads read, and an image's elements where it is told by convolutions. */
export interface Decoded {
  /** `[b, decoded]` */
  y: Tensor;
  /** `[b, length]` */
  image?: Tensor;
}

/** The layers of a variational network: between row and latent, and between latent and heads. */
export interface Sides {
  /** Width of what latents are read from, and of what heads read. */
  encoded: number;
  decoded: number;
  rowsAtOnce?: number;
  init(build: ParamBuilder): void;
  encode(row: Tensor, params: Params, context: StepContext): Tensor;
  decode(z: Tensor, params: Params, context: StepContext): Decoded;
}

/** Residual blocks over the whole row. */
export const residualSides = (spec: NetworkSpec): Sides => ({
  encoded: spec.width,
  decoded: spec.width,
  init(build) {
    buildResidualSide(build, 'encoder', tabularInputWidth(spec), spec);
    buildResidualSide(build, 'decoder', spec.latentDim, spec);
  },
  encode: (row, params, context) => residualSide('encoder', row, params, context, spec).y,
  decode: (z, params, context) => ({ y: residualSide('decoder', z, params, context, spec).y }),
});

/** Convolutions over the one list of a row, which is an image; other columns join where it is smallest. */
export function imageSides(spec: NetworkSpec, { at, length }: VectorColumn): Sides {
  const sides = convSides(spec.image!, length, spec);
  const inputs = tabularInputWidth(spec);
  const others = inputs - length;
  return {
    encoded: sides.flat + others,
    decoded: sides.flat,
    rowsAtOnce: CONV_ROWS_AT_ONCE,
    init(build) {
      sides.init(build, 0.5);
      build.dense('decoder/in', spec.latentDim, sides.flat);
    },
    encode(row, params) {
      const rows = row.shape[0]!;
      const part = (from: number, to: number): Tensor => tf.slice(row, [0, from], [rows, to - from]);
      const { y } = sides.encode(part(at, at + length), params);
      const before = at > 0 ? [part(0, at)] : [];
      return tf.concat([y, ...before, part(at + length, inputs)], 1);
    },
    decode(z, params) {
      const flat = dense(z, params, 'decoder/in');
      return { y: tf.relu(flat), image: sides.answer(sides.decode(flat, params).y, params) };
    },
  };
}
