import type { StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { dense, dropout, gelu, layerNorm, type Params } from '../layers.ts';
import type { MakeBody, Passed } from './body.ts';

/** Residual blocks of one width on both sides. */
export const residualBody: MakeBody = (spec, { inputs, outputs, onComponents }) => {
  const { latentDim, width, blocks, skip } = spec;
  const side = (name: string, x: Tensor, params: Params, context: StepContext): Passed => {
    const layers: Tensor[] = [];
    let y = dense(x, params, `${name}/in`);
    for (let k = 0; k < blocks; k++) layers.push((y = residual(y, params, `${name}/${k}`, spec.dropout, context)));
    return { y: layerNorm(y, params, `${name}/norm`), layers };
  };
  return {
    init(build) {
      build.dense('encoder/in', inputs, width);
      for (let k = 0; k < blocks; k++) build.residual(`encoder/${k}`, width);
      build.norm('encoder/norm', width);
      build.dense('encoder/latent', width, latentDim, onComponents ? 0 : 1);
      build.dense('decoder/in', latentDim, width);
      for (let k = 0; k < blocks; k++) build.residual(`decoder/${k}`, width);
      build.norm('decoder/norm', width);
      build.dense('decoder/out', width, outputs, skip === 'none' && !onComponents ? 0.5 : 0);
      if (skip !== 'none') build.dense('decoder/alone', width, outputs, 0.5);
    },
    hiddenWidth: 2 * blocks * width,
    encode(row, params, context) {
      const { y, layers } = side('encoder', row, params, context);
      return { y: dense(y, params, 'encoder/latent'), layers };
    },
    decode: (z, params, context) => side('decoder', z, params, context),
    answer: (y, params, alone) => dense(y, params, alone ? 'decoder/alone' : 'decoder/out'),
  };
};

/** Pre-activation residual block: x + W₂·gelu(W₁·norm(x)). */
export function residual(x: Tensor, params: Params, name: string, rate: number, context: StepContext): Tensor {
  let h = gelu(dense(layerNorm(x, params, `${name}/norm`), params, `${name}/up`));
  if (rate > 0 && context.training) h = dropout(h, context.random.bernoulli(h.shape, 1 - rate), rate);
  return tf.add(x, dense(h, params, `${name}/down`));
}
