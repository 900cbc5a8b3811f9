import * as tf from '@tensorflow/tfjs';

import { hostRandom } from '../random/host-random.ts';
import type { DataArray, LossFunction, ParamArrays, TrainingSpec } from '../types.ts';

/** Glorot-uniform matrices, zero biases. */
export function denseParams(widths: number[], seed = 1): ParamArrays {
  const random = hostRandom(seed);
  const params: ParamArrays = {};
  for (let i = 0; i + 1 < widths.length; i++) {
    const [a, b] = [widths[i]!, widths[i + 1]!];
    const limit = Math.sqrt(6 / (a + b));
    params[`dense${i}/weight`] = {
      shape: [a, b],
      values: Float32Array.from({ length: a * b }, () => (2 * random.uniform() - 1) * limit),
    };
    params[`dense${i}/bias`] = { shape: [b], values: new Float32Array(b) };
  }
  return params;
}

export function normalArray(shape: number[], seed = 1): DataArray & { dtype: 'float32' } {
  const random = hostRandom(seed, 1);
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, values: Float32Array.from({ length }, () => random.normal()) };
}

/** Autoencoder of dense layers: relu inside, linear latent and output, mean squared error. */
export const mlpLoss =
  (widths: number[]): LossFunction =>
  (batch, params) => {
    const layers = widths.length - 1;
    let h = batch.x!;
    for (let i = 0; i < layers; i++) {
      h = tf.add(tf.matMul(h, params[`dense${i}/weight`]!), params[`dense${i}/bias`]!);
      if (i + 1 < layers && i + 1 !== layers / 2) h = tf.relu(h);
    }
    return tf.mean(tf.squaredDifference(h, batch.x!));
  };

export function mlpSpec(widths: number[], rows: number, overrides: Partial<TrainingSpec> = {}): TrainingSpec {
  return {
    params: denseParams(widths),
    loss: mlpLoss(widths),
    data: { x: normalArray([rows, widths[0]!]) },
    batchSize: 32,
    optimizer: { kind: 'adamw', weightDecay: 0.01, clipNorm: 1 },
    schedule: { kind: 'one-cycle', rate: 3e-3, totalSteps: 40 },
    seed: 3,
    ...overrides,
  };
}

const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

const layerNorm = (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
};

/**
 * The net of tables: embedding of one column of codes, values with dropout, residual block of LayerNorm and GELU,
 * softmax cross-entropy for the codes and masked squared error for the values.
 */
export function tabularSpec(rows: number, overrides: Partial<TrainingSpec> = {}, dataSeed = 5): TrainingSpec {
  const [columns, categories, width, embedding] = [6, 5, 16, 3];
  const random = hostRandom(11);
  const matrix = (a: number, b: number) => ({
    shape: [a, b],
    values: Float32Array.from({ length: a * b }, () => random.normal() / Math.sqrt(a)),
  });
  const constant = (n: number, value: number) => ({ shape: [n], values: new Float32Array(n).fill(value) });
  return {
    params: {
      embedding: matrix(categories, embedding),
      'in/weight': matrix(columns + embedding, width),
      'in/bias': constant(width, 0),
      'norm/scale': constant(width, 1),
      'norm/shift': constant(width, 0),
      'up/weight': matrix(width, width),
      'up/bias': constant(width, 0.1),
      'out/weight': matrix(width, columns + categories),
      'out/bias': constant(columns + categories, 0),
    },
    data: {
      x: normalArray([rows, columns], dataSeed),
      weight: {
        dtype: 'float32',
        shape: [rows, columns],
        values: Float32Array.from({ length: rows * columns }, () => (random.uniform() < 0.8 ? 1 : 0)),
      },
      code: {
        dtype: 'int32',
        shape: [rows],
        values: Int32Array.from({ length: rows }, () => random.uint32() % categories),
      },
    },
    loss: (batch, p, { random: draw }) => {
      const keep = draw.bernoulli([batch.x!.shape[0]!, columns], 0.8);
      const embedded = tf.gather(p.embedding!, batch.code as tf.Tensor1D);
      const input = tf.concat([tf.mul(batch.x!, keep), embedded], 1);
      const h0 = tf.add(tf.matMul(input as tf.Tensor2D, p['in/weight'] as tf.Tensor2D), p['in/bias']!);
      const inner = gelu(
        tf.add(tf.matMul(layerNorm(h0, p['norm/scale']!, p['norm/shift']!), p['up/weight']!), p['up/bias']!),
      );
      const out = tf.add(tf.matMul(tf.add(h0, inner) as tf.Tensor2D, p['out/weight'] as tf.Tensor2D), p['out/bias']!);
      const [values, logits] = tf.split(out, [columns, categories], 1) as [tf.Tensor, tf.Tensor];
      const squares = tf.mul(tf.squaredDifference(values, batch.x!), batch.weight!);
      const mse = tf.div(tf.sum(squares), tf.add(tf.sum(batch.weight!), 1e-6));
      const truth = tf.oneHot(batch.code as tf.Tensor1D, categories);
      const crossEntropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits as tf.Tensor2D), truth), 1)));
      return tf.add(mse, tf.mul(crossEntropy, 0.3)) as tf.Scalar;
    },
    batchSize: 32,
    optimizer: { kind: 'adamw', weightDecay: 0.01, clipNorm: 5 },
    schedule: { kind: 'cosine', rate: 3e-3, totalSteps: 40, warmupSteps: 3 },
    seed: 9,
    ...overrides,
  };
}
