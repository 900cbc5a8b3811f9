import * as tf from '@tensorflow/tfjs';
import { realWidth } from '../../columns/encoder.ts';
import { dense } from '../layers.ts';
import type { MakeBody } from './body.ts';
import { CONV_ROWS_AT_ONCE, convSides } from './conv-sides.ts';

/** Convolutions over the image that a row is; the latent is a linear map of the smallest. */
export const convBody: MakeBody = (spec, { onComponents }) => {
  const reals = realWidth(spec.layout);
  const sides = convSides(spec.image!, reals, spec);
  return {
    init(build) {
      sides.init(build, onComponents ? 0 : 0.5);
      build.dense('encoder/latent', sides.flat, spec.latentDim, onComponents ? 0 : 1);
      build.dense('decoder/in', spec.latentDim, sides.flat);
    },
    rowsAtOnce: CONV_ROWS_AT_ONCE,
    hiddenWidth: sides.hiddenWidth,
    encode(row, params) {
      const pixels = row.shape[1] === reals ? row : tf.slice(row, [0, 0], [row.shape[0]!, reals]);
      const { y, layers } = sides.encode(pixels, params);
      return { y: dense(y, params, 'encoder/latent'), layers };
    },
    decode: (z, params) => sides.decode(dense(z, params, 'decoder/in'), params),
    answer: (y, params) => sides.answer(y, params),
  };
};
