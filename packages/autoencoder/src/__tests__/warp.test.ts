import { resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { warpImages } from '../network/warp.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
});

/** Draws that give these numbers, one call after another; ½ is "nothing changes". */
function draws(...given: number[]) {
  let at = 0;
  return { uniform: (shape: number[]) => tf.fill(shape, given[at++] ?? 0.5) };
}
const warped = (image: number[], shape: [number, number], strength: number, ...given: number[]): number[] =>
  Array.from(
    tf.tidy(() => warpImages(tf.tensor2d([image]), shape, strength, draws(...given)).dataSync()),
    (value) => Math.round(value * 1e4) / 1e4,
  );

describe('a warped image', () => {
  const image = [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0];

  it('is the image where nothing is drawn', () => {
    expect(warped(image, [3, 4], 0.4)).toEqual(image);
  });

  it('moves by the share of its side, whole pixels as they are, darkness coming in', () => {
    // Order of draws: turn, slant down, slant across; then of each image stretch and place down, stretch and place across.
    // 1 − ½ is half of the range: 2 · 0.5 · strength · 0.3 · 4 pixels = 1 pixel.
    expect(warped(image, [3, 4], 1 / 1.2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1)).toEqual([
      0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0,
    ]);
  });

  it('turns: one side of a line is lifted, the other lowered', () => {
    const line = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
    const turned = warped(line, [3, 5], 0.2, 1);
    expect(turned[4]).toBeGreaterThan(0);
    expect(turned[10]).toBeGreaterThan(0);
    expect([turned[0], turned[14]]).toEqual([0, 0]);
    expect(turned[7]).toBe(1);
  });
});
