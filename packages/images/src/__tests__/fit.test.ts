import { describe, expect, test } from 'vitest';
import { fitImage } from '../fit.ts';
import type { Fit } from '../fit-names.ts';
import type { RawImage } from '../raw-image.ts';

const grey = (width: number, height: number, value: (x: number, y: number) => number): RawImage => ({
  width,
  height,
  channels: 1,
  data: Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
});
const rowsOf = ({ width, data }: RawImage, first: number, count = 1): number[] => [
  ...data.subarray(first * width, (first + count) * width),
];
const fitted = async (image: RawImage, width: number, height: number, fit: Fit): Promise<RawImage> =>
  fitImage(image, { width, height }, fit);
/** Pillow rounds (and cuts off beyond 0 … 255) after each axis, this once at the end. */
const expectNear = (found: number[], wanted: number[]): void => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1));
};

describe('enlarging gives what Pillow 13 does with LANCZOS', () => {
  test('of a ramp and a line', async () => {
    const ramp = await fitted(
      grey(32, 4, (x) => x * 8),
      64,
      8,
      'stretch',
    );
    expectNear(rowsOf(ramp, 3).slice(0, 12), [0, 1, 5, 10, 14, 18, 22, 26, 30, 34, 38, 42]);
    expectNear(rowsOf(ramp, 3).slice(-3), [243, 247, 249]);
    const line = await fitted(
      grey(32, 4, (x) => (x === 10 ? 200 : 0)),
      64,
      8,
      'crop',
    );
    expectNear(rowsOf(line, 3).slice(14, 28), [0, 1, 6, 0, 0, 54, 179, 179, 54, 0, 0, 6, 1, 0]);
  });

  test('by factors that are not whole, up to the edges', async () => {
    const small = { ...grey(3, 2, () => 0), data: Uint8Array.of(100, 140, 110, 120, 105, 150) };
    const { data } = await fitted(small, 5, 7, 'stretch');
    expectNear(
      [...data],
      [
        [89, 117, 148, 122, 93],
        [93, 116, 142, 123, 102],
        [101, 115, 133, 126, 115],
        [109, 113, 123, 129, 130],
        [117, 111, 112, 132, 145],
        [125, 110, 103, 135, 158],
        [129, 109, 97, 136, 167],
      ].flat(),
    );
  });

  test('of the middle, where the rest is cropped', async () => {
    const image = grey(6, 4, (x, y) => 60 + ((x * 37 + y * 91) % 128));
    const middle = await fitted(image, 8, 8, 'crop');
    expectNear(rowsOf(middle, 0), [88, 117, 127, 153, 181, 152, 84, 71]);
    expectNear(rowsOf(middle, 3), [99, 63, 68, 85, 107, 146, 181, 161]);
  });
});

test('bars beside an enlarged picture are black, and each colour is enlarged by itself', async () => {
  const image: RawImage = { width: 2, height: 1, channels: 3, data: Uint8Array.of(200, 0, 90, 200, 0, 90) };
  const { data } = await fitted(image, 4, 4, 'pad');
  const bar = new Array<number>(12).fill(0);
  const line = [200, 0, 90, 200, 0, 90, 200, 0, 90, 200, 0, 90];
  expect([...data]).toEqual([...bar, ...line, ...line, ...bar]);
});

test('pictures of a folder lie alike, whether they were enlarged or reduced', async () => {
  // A spot at three tenths of the width and six tenths of the height.
  const spot = (width: number, height: number): RawImage =>
    grey(
      width,
      height,
      (x, y) => 250 * Math.exp(-40 * (((x + 0.5) / width - 0.3) ** 2 + ((y + 0.5) / height - 0.6) ** 2)),
    );
  const middle = ({ width, height, data }: RawImage): [number, number] => {
    let [sum, across, down] = [0, 0, 0];
    data.forEach((value, i) => {
      sum += value;
      across += value * ((i % width) + 0.5);
      down += value * (Math.floor(i / width) + 0.5);
    });
    return [across / sum / width, down / sum / height];
  };
  const [x, y] = middle(await fitted(spot(128, 128), 32, 32, 'stretch'));
  for (const [width, height] of [
    [16, 16],
    [20, 20],
    [16, 128],
    [128, 16],
  ] as const) {
    const [ownX, ownY] = middle(await fitted(spot(width, height), 32, 32, 'stretch'));
    expect(Math.abs(ownX - x)).toBeLessThan(0.002);
    expect(Math.abs(ownY - y)).toBeLessThan(0.002);
  }
});
