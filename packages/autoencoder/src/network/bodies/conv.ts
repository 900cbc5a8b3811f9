import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { realWidth } from '../../columns/encoder.ts';
import { buildConvResidual, conv, convResidual, grow } from '../conv-layers.ts';
import { dense, type Params } from '../layers.ts';
import type { MakeBody } from './body.ts';

/** Times an image is halved at most: by then a few pixels see most of a small one. */
const HALVINGS = 2;

/** An image of a thousand pixels has activations of a hundred kilobytes a layer. */
const ROWS_AT_ONCE = 256;

/**
 * Convolutions over the image that a row is: halved while its sides are even, at most twice, channels doubled each time, with
 * residual blocks at every size but the full one; the latent is a linear map of the smallest. The decoder mirrors it.
 */
export const convBody: MakeBody = (spec, { onComponents }) => {
  const { latentDim, width, blocks, layout } = spec;
  const reals = realWidth(layout);
  const [height, across] = spec.image!;
  const colours = reals / (height * across);
  const halvings = halvingsOf(height, across);
  const channels = (level: number): number => Math.max(1, Math.round(width / 2 ** (halvings - level)));
  const sides = (level: number): [number, number] => [height / 2 ** level, across / 2 ** level];
  const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
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
    init(build) {
      const blocksOf = (side: string, level: number): void =>
        count(0, blocks).forEach((block) => buildConvResidual(build, `${side}/${level}/${block}`, channels(level)));
      build.conv('encoder/in', 3, colours, channels(0), Math.SQRT2);
      for (const level of shrunk) {
        if (level > 0) build.conv(`encoder/shrink${level}`, 2, channels(level - 1), channels(level));
        blocksOf('encoder', level);
      }
      build.dense('encoder/latent', flat, latentDim, onComponents ? 0 : 1);
      build.dense('decoder/in', latentDim, flat);
      for (const level of shrunk.toReversed()) {
        blocksOf('decoder', level);
        if (level > 0) build.conv(`decoder/grow${level}`, 2, channels(level - 1), channels(level), 1, 'transposed');
      }
      build.conv('decoder/out', 3, channels(0), colours, onComponents ? 0 : 0.5);
    },
    rowsAtOnce: ROWS_AT_ONCE,
    hiddenWidth: 2 * blocks * shrunk.reduce((sum, level) => sum + channels(level), 0),
    encode(row, params) {
      const layers: Tensor[] = [];
      const rows = row.shape[0]!;
      const pixels = row.shape[1] === reals ? row : tf.slice(row, [0, 0], [rows, reals]);
      let h = tf.relu(conv(tf.reshape(pixels, [rows, height, across, colours]), params, 'encoder/in'));
      for (const level of shrunk) {
        if (level > 0) h = conv(h, params, `encoder/shrink${level}`, 2);
        h = run(h, params, `encoder/${level}`, layers);
      }
      return { y: dense(tf.reshape(tf.relu(h), [rows, flat]), params, 'encoder/latent'), layers };
    },
    decode(z, params) {
      const layers: Tensor[] = [];
      const rows = z.shape[0]!;
      let h: Tensor = tf.reshape(dense(z, params, 'decoder/in'), [rows, ...smallest]);
      for (const level of shrunk.toReversed()) {
        h = run(h, params, `decoder/${level}`, layers);
        if (level > 0) h = grow(h, params, `decoder/grow${level}`, [rows, ...sides(level - 1), channels(level - 1)]);
      }
      return { y: tf.relu(h), layers };
    },
    answer: (y, params) => tf.reshape(conv(y, params, 'decoder/out'), [y.shape[0]!, reals]),
  };
};

function halvingsOf(height: number, width: number): number {
  for (let halvings = 0; ; halvings++)
    if (halvings === HALVINGS || (height >> halvings) % 2 === 1 || (width >> halvings) % 2 === 1) return halvings;
}
