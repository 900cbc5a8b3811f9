import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { buildConvResidual, conv, convResidual, grow } from '../conv-layers.ts';
import type { ImageShape } from '../image-shape.ts';
import type { ParamBuilder } from '../init.ts';
import type { Params } from '../layers.ts';
import type { NetworkSpec } from '../network.ts';
import type { Passed } from './body.ts';

/** Times an image is halved at most: by then a few pixels see most of a small one. */
const HALVINGS = 2;

/** An image of a thousand pixels has activations of a hundred kilobytes a layer. */
export const CONV_ROWS_AT_ONCE = 256;

/** Convolutions between an image's pixels, row by row, channels last, and what it is at its smallest, flat. */
export interface ConvSides {
  /** Values of an image at its smallest. */
  flat: number;
  /** Columns of all hidden activations of both sides. */
  hiddenWidth: number;
  /** Adds initial parameters. @param outGain of the last convolution */
  init(build: ParamBuilder, outGain: number): void;
  /** Pixels `[b, p]` → `[b, flat]`. */
  encode(pixels: Tensor, params: Params): Passed;
  /** `[b, flat]` → the image before its last convolution, `[b, h, w, c]`. */
  decode(flat: Tensor, params: Params): Passed;
  /** That → pixels `[b, p]`. */
  answer(y: Tensor, params: Params): Tensor;
}

/**
 * Halved while its sides are even, at most twice, channels doubled each time, with residual blocks at every size but the full
 * one; the decoder mirrors it.
 * @param pixels values of an image, all its channels
 */
export function convSides(
  [height, across]: ImageShape,
  pixels: number,
  { width, blocks }: Pick<NetworkSpec, 'width' | 'blocks'>,
): ConvSides {
  const colours = pixels / (height * across);
  const halvings = halvingsOf(height, across);
  const channels = (level: number): number => Math.max(1, Math.round(width / 2 ** (halvings - level)));
  const sides = (level: number): [number, number] => [height / 2 ** level, across / 2 ** level];
  // Where nothing can be halved the blocks stand at full size.
  const shrunk = halvings > 0 ? count(1, halvings + 1) : [0];
  const smallest = [...sides(halvings), width] as const;
  const flat = smallest.reduce((product, side) => product * side, 1);

  const run = (x: Tensor, params: Params, name: string, layers: Tensor[]): Tensor =>
    count(0, blocks).reduce((h, block) => {
      const y = convResidual(h, params, `${name}/${block}`);
      // What a block saw anywhere in the image: as features, all its places would be thousands.
      layers.push(tf.mean(y, [1, 2]));
      return y;
    }, x);

  return {
    flat,
    hiddenWidth: 2 * blocks * shrunk.reduce((sum, level) => sum + channels(level), 0),
    init(build, outGain) {
      const blocksOf = (side: string, level: number): void =>
        count(0, blocks).forEach((block) => buildConvResidual(build, `${side}/${level}/${block}`, channels(level)));
      build.conv('encoder/in', 3, colours, channels(0), Math.SQRT2);
      for (const level of shrunk) {
        if (level > 0) build.conv(`encoder/shrink${level}`, 2, channels(level - 1), channels(level));
        blocksOf('encoder', level);
        blocksOf('decoder', level);
        if (level > 0) build.conv(`decoder/grow${level}`, 2, channels(level - 1), channels(level), 1, 'transposed');
      }
      build.conv('decoder/out', 3, channels(0), colours, outGain);
    },
    encode(image, params) {
      const layers: Tensor[] = [];
      const rows = image.shape[0]!;
      let h = tf.relu(conv(tf.reshape(image, [rows, height, across, colours]), params, 'encoder/in'));
      for (const level of shrunk) {
        if (level > 0) h = conv(h, params, `encoder/shrink${level}`, 2);
        h = run(h, params, `encoder/${level}`, layers);
      }
      return { y: tf.reshape(tf.relu(h), [rows, flat]), layers };
    },
    decode(values, params) {
      const layers: Tensor[] = [];
      const rows = values.shape[0]!;
      let h: Tensor = tf.reshape(values, [rows, ...smallest]);
      for (const level of shrunk.toReversed()) {
        h = run(h, params, `decoder/${level}`, layers);
        if (level > 0) h = grow(h, params, `decoder/grow${level}`, [rows, ...sides(level - 1), channels(level - 1)]);
      }
      return { y: tf.relu(h), layers };
    },
    answer: (y, params) => tf.reshape(conv(y, params, 'decoder/out'), [y.shape[0]!, pixels]),
  };
}

const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function halvingsOf(height: number, width: number): number {
  for (let halvings = 0; ; halvings++)
    if (halvings === HALVINGS || (height >> halvings) % 2 === 1 || (width >> halvings) % 2 === 1) return halvings;
}
