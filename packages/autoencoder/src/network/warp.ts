import type { StepRandom } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { ImageShape } from './image-shape.ts';

/** Share of an image's side that it moves by at most, for a strength of 1. */
const MOVE = 0.3;

/**
 * Images `[b, height·width]`, 0 where nothing is, seen a little differently: turned and slanted alike within a batch, each
 * stretched and moved by itself, by up to `strength` (of the side, of the radian; moves by 0.3 of it). Pixels are interpolated
 * linearly. All of it is products of matrices, which is what an engine does fastest.
 */
export function warpImages(
  images: Tensor,
  [height, width]: ImageShape,
  strength: number,
  random: Pick<StepRandom, 'uniform'>,
): Tensor {
  const rows = images.shape[0]!;
  const pixels = height * width;
  const draw = (shape: number[]): Tensor => tf.mul(tf.sub(random.uniform(shape), 0.5), 2 * strength);
  const down = centred(height);
  const across = centred(width);

  const [y, x] = [tf.reshape(down, [height, 1]), tf.reshape(across, [1, width])];
  const turn = draw([1, 1]);
  const fromY = tf.add(y, tf.mul(x, tf.add(turn, draw([1, 1]))));
  const fromX = tf.add(x, tf.mul(y, tf.sub(draw([1, 1]), turn)));
  const weights = tf.mul(
    tf.reshape(tent(tf.reshape(fromY, [pixels, 1]), tf.reshape(down, [1, height])), [pixels, height, 1]),
    tf.reshape(tent(tf.reshape(fromX, [pixels, 1]), tf.reshape(across, [1, width])), [pixels, 1, width]),
  );
  const turned = tf.matMul(images as Tensor2D, tf.reshape(weights, [pixels, pixels]) as Tensor2D, false, true);

  const own = (axis: Tensor, size: number): Tensor3D => {
    const from = tf.add(
      tf.mul(tf.reshape(axis, [1, size]), tf.add(draw([rows, 1]), 1)),
      tf.mul(draw([rows, 1]), MOVE * size),
    );
    return tent(tf.reshape(from, [rows, size, 1]), tf.reshape(axis, [1, 1, size])) as Tensor3D;
  };
  const framed = tf.reshape(turned, [rows, height, width]) as Tensor3D;
  const moved = tf.matMul(tf.matMul(own(down, height), framed), own(across, width), false, true);
  return tf.reshape(moved, [rows, pixels]);
}

/** Places of pixels from the middle. */
const centred = (size: number): Tensor => tf.sub(tf.range(0, size, 1, 'float32'), (size - 1) / 2);

/** Linear interpolation: how much the pixel at `at` says about the place `from`. */
const tent = (from: Tensor, at: Tensor): Tensor => tf.relu(tf.sub(1, tf.abs(tf.sub(from, at))));
