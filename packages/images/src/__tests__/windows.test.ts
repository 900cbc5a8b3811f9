import { expect, test } from 'vitest';
import { imageGrid } from '../grid.ts';
import { decodeImage } from '../decode.ts';
import { blankImage } from '../raw-image.ts';
import { shapeImage } from '../shape-image.ts';
import { windowsOver } from '../windows.ts';

test('windows of one size keep every pixel once and read a halo around it, up to the edges', () => {
  for (const [width, height] of [
    [100, 72],
    [64, 64],
    [4, 4],
    [32, 200],
  ] as const) {
    const kept = new Uint8Array(width * height);
    const over = windowsOver(width, height, 32, 12);
    for (const w of over.windows) {
      expect(w.readLeft % 4).toBe(0);
      expect(w.readTop % 4).toBe(0);
      expect(w.keepLeft - w.readLeft >= 12 || w.readLeft === 0).toBe(true);
      const right = w.readLeft + over.width;
      expect(right).toBeLessThanOrEqual(width);
      expect(right - (w.keepLeft + w.keepWidth) >= 12 || right === width).toBe(true);
      for (let y = w.keepTop; y < w.keepTop + w.keepHeight; y++)
        for (let x = w.keepLeft; x < w.keepLeft + w.keepWidth; x++) kept[y * width + x]!++;
    }
    expect(kept.every((count) => count === 1)).toBe(true);
  }
});

test('a grid shows pictures of different sizes and channels, small ones enlarged', async () => {
  const grey = blankImage(4, 4, 1);
  const colour = { ...blankImage(8, 8, 3), data: new Uint8Array(192).fill(10) };
  const grid = await decodeImage(await imageGrid([[grey, colour], [colour]], { side: 16, gap: 2 }), 'grid');
  expect(grid).toMatchObject({ width: 2 * 18 + 2, height: 2 * 18 + 2, channels: 3 });
  expect([...grid.data.subarray(0, 3)]).toEqual([255, 255, 255]);
  expect([...grid.data.subarray((2 * grid.width + 2) * 3, (2 * grid.width + 2) * 3 + 3)]).toEqual([0, 0, 0]);
});

test('tiles are cut edge to edge and keep where they were in their names', async () => {
  const image = { ...blankImage(5, 4, 1), data: Uint8Array.from({ length: 20 }, (_, i) => i) };
  const tiles = await shapeImage(image, { tile: { width: 2, height: 2 } });
  expect(tiles.map(({ suffix }) => suffix)).toEqual(['-0-0', '-0-2', '-2-0', '-2-2']);
  expect([...tiles[3]!.image.data]).toEqual([12, 13, 17, 18]);
});
