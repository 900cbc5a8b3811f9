import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { ColourBins } from './colour-bins.ts';

/** Scales of what enters and leaves the network: L* to −1…1, a* and b* to about −1…1. */
export const LIGHT = 50;
export const COLOUR = 50;

/** L* 0…100 as the network is given it. */
export const scaledLight = (light: number): number => (light - LIGHT) / LIGHT;

/** What a model learned besides its weights: JSON in the model. */
export interface ColourFit extends Record<string, unknown> {
  head: 'faithful' | 'vivid';
  hints: boolean;
  bins?: ColourBins;
}

/** Channels of the network: lightness, and where hints are taken their a*, b* and where they are. */
export const channelsOf = ({ head, hints, bins }: ColourFit): { inputs: number; outputs: number } => ({
  inputs: hints ? 4 : 1,
  outputs: head === 'vivid' ? bins!.centers.length / 2 : 2,
});

/**
 * a*, b* `[b, h, w, 2]` of the network's answer. A vivid one gives a distribution over colours, of which the annealed mean is
 * taken: softmax(logits / T). Source: Zhang, Isola, Efros 2016.
 */
export function colours(answer: Tensor, { head, bins }: ColourFit, temperature: number): Tensor {
  if (head === 'faithful') return tf.mul(answer, COLOUR);
  const [rows, height, width, q] = answer.shape as [number, number, number, number];
  const likely = tf.softmax(tf.div(tf.reshape(answer, [rows * height * width, q]), temperature));
  return tf.reshape(tf.matMul(likely as tf.Tensor2D, tf.tensor2d(bins!.centers, [q, 2])), [rows, height, width, 2]);
}
