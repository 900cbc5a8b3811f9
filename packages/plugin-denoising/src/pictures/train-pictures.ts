import { augment, defineImageApplication, type Patches } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import type { DataArray, StepRandom } from '@hourglass/engine';
import { HourglassError, type StageContext } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { addNoise, toBrightness } from './add-noise.ts';
import type { z } from 'zod';
import type { PictureNoiseOptions } from '../noise-options.ts';
import type { pictureLearnerOptions } from './picture-options.ts';
import { cleaned } from './predict-noise.ts';
import { stepNoise } from './step-noise.ts';

type Options = z.output<z.ZodObject<typeof pictureLearnerOptions>> & PictureNoiseOptions;

/** Share of pixels hidden in a step by noise2void. */
const HIDDEN = 0.03;

/** x + noise → x, by the noise. */
const denoising = defineImageApplication<Options, { channels: number }>({
  name: 'denoising',
  version: 1,
  readOut: { kind: 'denoise', stage: 'denoising/denoise', output: 'data' },
  fit: ({ channels }) => ({ channels }),
  network: ({ channels }, { levelMap }) => ({ inputs: channels + (levelMap ? 1 : 0), outputs: channels }),
  answer: ({ channels }, { levelMap }) => ({
    kind: 'residual',
    input: 'picture',
    output: 'clean',
    channels,
    level: levelMap,
  }),
  async encode(patches, first, _fitted, options, seed): Promise<Record<string, DataArray>> {
    const { side, channels, count, data } = patches;
    const x = brightness(patches);
    if (options.noise !== 'jpeg' || options.objective === 'noise2void') return { x };
    // Compression cannot be part of a compiled step: it is done beforehand, once for each square.
    const size = side * side * channels;
    const noisy = new Float32Array(data.length);
    const level = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const image = { width: side, height: side, channels, data: data.subarray(i * size, (i + 1) * size) };
      const made = await addNoise(image, options, seed, first + i);
      noisy.set(made.values, i * size);
      level[i] = made.level;
    }
    return {
      x,
      noisy: { dtype: 'float32', shape: x.shape, values: noisy },
      level: { dtype: 'float32', shape: [count, 1, 1, 1], values: level },
    };
  },
  rowLoss(batch, net, { random, training }, _fitted, options) {
    const { level: drawn, ...pictures } = batch as { x: Tensor; noisy?: Tensor; level?: Tensor };
    const { x, noisy: given } = training ? augment(pictures, random, options.augment) : pictures;
    const rows = x.shape[0]!;
    const weight = tf.ones([rows]);
    if (options.objective === 'noise2void') {
      const [, height, width, channels] = x.shape as [number, number, number, number];
      const hidden = random.bernoulli([rows, height, width, 1], HIDDEN);
      // A hidden pixel shows another one near by: what it held can only be guessed from those around it.
      const shown = tf.add(x, tf.mul(tf.sub(neighbour(x, random), x), hidden));
      const error = tf.mul(tf.square(tf.sub(cleaned(shown, net), x)), hidden);
      return {
        loss: tf.sum(error, [1, 2, 3]),
        weight: tf.mul(tf.sum(hidden, [1, 2, 3]), channels),
      };
    }
    const { noisy, level } = given ? { noisy: given, level: drawn! } : stepNoise(x, options, random);
    const answer = cleaned(noisy, net, options.levelMap ? level : undefined);
    return { loss: tf.mean(tf.square(tf.sub(answer, x)), [1, 2, 3]), weight };
  },
});

const brightness = ({ side, channels, count, data }: Patches): DataArray => ({
  dtype: 'float32',
  shape: [count, side, side, channels],
  values: toBrightness(data),
});

/** Steps to the pixels a hidden one may show. */
const NEAR = [
  [0, 1],
  [1, 0],
  [1, 2],
  [2, 1],
] as const;

/** Of each pixel one of those near by, drawn, so that the network cannot tell a hidden pixel by what it shows. */
function neighbour(x: Tensor, random: StepRandom): Tensor {
  const [rows, height, width] = x.shape as [number, number, number];
  const draw = tf.mul(random.uniform([rows, height, width, 1]), NEAR.length);
  return NEAR.map(([down, right], i) => {
    const chosen = tf.mul(tf.step(tf.sub(draw, i)), tf.step(tf.sub(i + 1, draw)));
    return tf.mul(rolled(rolled(x, 1, down), 2, right), chosen);
  }).reduce((sum, one) => tf.add(sum, one));
}

/** The picture moved along an axis, around its edge. */
function rolled(x: Tensor, axis: number, by: number): Tensor {
  if (by === 0) return x;
  const part = (from: number, count: number): Tensor =>
    tf.slice(
      x,
      x.shape.map((_, i) => (i === axis ? from : 0)),
      x.shape.map((size, i) => (i === axis ? count : size)),
    );
  const size = x.shape[axis]!;
  return tf.concat([part(size - by, by), part(0, size - by)], axis);
}

/** Learns on clean pictures, or on noisy ones by noise2void. @throws OPTION_INVALID */
export function trainPictures(context: StageContext, inputs: { data: ArtifactRef }, options: Options) {
  if (options.objective === 'noise2void' && options.levelMap)
    throw new HourglassError(
      'OPTION_INVALID',
      'denoising/train: objective noise2void does not know how strong the noise is: leave levelMap out.',
    );
  return denoising(context, inputs, options);
}
