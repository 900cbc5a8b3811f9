import { augment, defineImageApplication } from '@hourglass/autoencoder';
import type { StageOptions } from '@hourglass/core';
import type { DataArray, StepRandom } from '@hourglass/engine';
import { isGrey, rgbToLab } from '@hourglass/images';
import { HourglassError, type StageRun } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { TEMPERATURE } from './annealing.ts';
import { binsOf, fitColourBins } from './colour-bins.ts';
import { channelsOf, COLOUR, LIGHT, scaledLight, type ColourFit } from './colour-model.ts';
import type { train } from './index.ts';

type Options = StageOptions<typeof train>;

/** Pixels the bins are fitted on at most. */
const FIT_PIXELS = 2_000_000;

/** Lightness → colour. */
const colorization = defineImageApplication<Options, ColourFit>({
  name: 'colorization',
  version: 1,
  readOut: { kind: 'colour', stage: 'colorization/colorize', output: 'data' },
  channels: 3,
  leftOut: 'are grey and not learned from (grey: skip)',
  accept({ grey }) {
    if (grey === 'learn') return undefined;
    return (image) => {
      if (!isGrey(image)) return true;
      if (grey === 'skip') return false;
      throw new HourglassError(
        'COLUMN_INVALID',
        'colorization/train: a picture among those to learn from has no colour. Leave such pictures out (grey: skip), or learn them as they are (grey: learn).',
      );
    };
  },
  fit(patches, { head, hints }) {
    const fitted: ColourFit = { head, hints: hints > 0 };
    if (head === 'vivid') {
      const pixels = patches.data.length / 3;
      const every = Math.max(1, Math.floor(pixels / FIT_PIXELS));
      const some = new Uint8Array(3 * Math.floor(pixels / every));
      for (let i = 0; i < some.length / 3; i++)
        some.set(patches.data.subarray(3 * i * every, 3 * i * every + 3), 3 * i);
      fitted.bins = fitColourBins(abOf(rgbToLab(some)));
    }
    return fitted;
  },
  network: (fitted) => channelsOf(fitted),
  answer({ hints, bins }) {
    const common = { input: 'lightness', output: 'ab', center: LIGHT, scale: COLOUR, hints };
    return bins
      ? { kind: 'mixture', ...common, centers: bins.centers, channels: 2, temperature: TEMPERATURE }
      : { kind: 'scaled', ...common };
  },
  encode(patches, _first, fitted): Record<string, DataArray> {
    const { count, side, data } = patches;
    const lab = rgbToLab(data);
    const shape = (channels: number): number[] => [count, side, side, channels];
    const light = new Float32Array(lab.length / 3);
    for (let i = 0; i < light.length; i++) light[i] = scaledLight(lab[3 * i]!);
    const ab = abOf(lab);
    return {
      light: { dtype: 'float32', shape: shape(1), values: light },
      ab: { dtype: 'float32', shape: shape(2), values: ab.map((value) => value / COLOUR) },
      // As numbers, so that a picture and its bins are turned alike.
      ...(fitted.bins
        ? { bin: { dtype: 'float32', shape: shape(1), values: Float32Array.from(binsOf(ab, fitted.bins)) } }
        : {}),
    };
  },
  rowLoss(batch, net, { random, training }, fitted, options) {
    const { light, ab, bin } = training ? augment(batch, random, options.augment) : batch;
    const answer = net(withHints(light!, ab!, random, options.hints));
    const [rows, height, width] = light!.shape as [number, number, number];
    if (!fitted.bins) return { loss: tf.mean(tf.square(tf.sub(answer, ab!)), [1, 2, 3]), weight: tf.ones([rows]) };
    const q = fitted.bins.weights.length;
    const logits = tf.reshape(answer, [rows * height * width, q]);
    const target = tf.oneHot(tf.cast(tf.reshape(bin!, [rows * height * width]), 'int32') as tf.Tensor1D, q);
    const counts = tf.reshape(
      tf.matMul(tf.cast(target, 'float32') as tf.Tensor2D, tf.tensor2d(fitted.bins.weights, [q, 1])),
      [rows, height * width],
    );
    const surprise = tf.reshape(tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), tf.cast(target, 'float32')), 1)), [
      rows,
      height * width,
    ]);
    return { loss: tf.sum(tf.mul(surprise, counts), 1), weight: tf.sum(counts, 1) };
  },
});

/** a*, b* of pixels, `[n, 2]` flat. */
function abOf(lab: Float32Array): Float32Array {
  const ab = new Float32Array((lab.length / 3) * 2);
  for (let i = 0; i < ab.length; i++) ab[i] = lab[3 * (i >> 1) + 1 + (i & 1)]!;
  return ab;
}

/** Lightness, and where hints are learned the colour of a few pixels: each picture has a share of them drawn from 0 … `most`. */
function withHints(light: Tensor, ab: Tensor, random: StepRandom, most: number): Tensor {
  if (most === 0) return light;
  const [rows, height, width] = light.shape as [number, number, number];
  const share = tf.mul(tf.square(random.uniform([rows, 1, 1, 1])), most);
  const shown = tf.step(tf.sub(share, random.uniform([rows, height, width, 1])));
  return tf.concat([light, tf.mul(ab, shown), shown], 3);
}

export const run: StageRun<typeof train> = (context, inputs, options) => colorization(context, inputs, options);
