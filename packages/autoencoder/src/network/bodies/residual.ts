import type { StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { ParamBuilder } from '../init.ts';
import { dense, dropout, gelu, layerNorm, type Params } from '../layers.ts';
import type { NetworkSpec } from '../network.ts';
import type { MakeBody, Passed } from './body.ts';

/** Residual blocks of one width on both sides. */
export const residualBody: MakeBody = (spec, { inputs, outputs, onComponents }) => {
  const { latentDim, width, blocks, skip } = spec;
  return {
    init(build) {
      buildResidualSide(build, 'encoder', inputs, spec);
      build.dense('encoder/latent', width, latentDim, onComponents ? 0 : 1);
      buildResidualSide(build, 'decoder', latentDim, spec);
      build.dense('decoder/out', width, outputs, skip === 'none' && !onComponents ? 0.5 : 0);
      if (skip !== 'none') build.dense('decoder/alone', width, outputs, 0.5);
    },
    hiddenWidth: 2 * blocks * width,
    encode(row, params, context) {
      const { y, layers } = residualSide('encoder', row, params, context, spec);
      return { y: dense(y, params, 'encoder/latent'), layers };
    },
    decode: (z, params, context) => residualSide('decoder', z, params, context, spec),
    answer: (y, params, alone) => dense(y, params, alone ? 'decoder/alone' : 'decoder/out'),
  };
};

/** One side of such a network, up to its last layer: `[b, in]` → `[b, width]`. @param name of its parameters: `encoder` or `decoder` */
export function residualSide(
  name: string,
  x: Tensor,
  params: Params,
  context: StepContext,
  { blocks, dropout: rate }: NetworkSpec,
): Passed {
  const layers: Tensor[] = [];
  let y = dense(x, params, `${name}/in`);
  for (let k = 0; k < blocks; k++) layers.push((y = residual(y, params, `${name}/${k}`, rate, context)));
  return { y: layerNorm(y, params, `${name}/norm`), layers };
}

/** Initial parameters of such a side. */
export function buildResidualSide(
  build: ParamBuilder,
  name: string,
  inputs: number,
  { width, blocks }: NetworkSpec,
): void {
  build.dense(`${name}/in`, inputs, width);
  for (let k = 0; k < blocks; k++) build.residual(`${name}/${k}`, width);
  build.norm(`${name}/norm`, width);
}

/** Pre-activation residual block: x + W₂·gelu(W₁·norm(x)). */
function residual(x: Tensor, params: Params, name: string, rate: number, context: StepContext): Tensor {
  let h = gelu(dense(layerNorm(x, params, `${name}/norm`), params, `${name}/up`));
  if (rate > 0 && context.training) h = dropout(h, context.random.bernoulli(h.shape, 1 - rate), rate);
  return tf.add(x, dense(h, params, `${name}/down`));
}
