import type { RawImage } from './raw-image.ts';

const ACROSS = 9;
const DOWN = 8;
/** Grey levels by which a cell must be brighter: less is what compression leaves of a flat area. */
const BRIGHTER = 1;

/** A picture seen from afar: what tells whether it looks like another, whatever their sizes and formats. */
export interface PictureSketch {
  /** 64-bit difference hash in two halves of 32: whether each cell is brighter than the one to its right. Source: Krawetz 2013 (dHash). */
  hash: readonly [number, number];
  /** Mean colours of its cells, `[8, 9, 3]`. */
  cells: Uint8Array;
}

/** The sketch of a picture; a pixel that lies in several cells counts in each by its share. */
export function pictureSketch({ width, height, channels, data }: RawImage): PictureSketch {
  const columns = cellsOver(width, ACROSS);
  const rows = cellsOver(height, DOWN);
  const line = new Float64Array(ACROSS * 3);
  const means = new Float64Array(DOWN * line.length);
  for (let y = 0; y < height; y++) {
    line.fill(0);
    for (let x = 0; x < width; x++)
      for (const { cell, share } of columns[x]!)
        for (let k = 0; k < 3; k++)
          line[3 * cell + k]! += share * data[(y * width + x) * channels + (channels === 3 ? k : 0)]!;
    for (const { cell, share } of rows[y]!)
      for (let i = 0; i < line.length; i++) means[cell * line.length + i]! += share * line[i]!;
  }
  const cells = Uint8Array.from(means, Math.round);
  return { hash: differenceHash(cells), cells };
}

/** Of each pixel along a side the cells it lies in, with its share of what they hold. */
function cellsOver(size: number, cells: number): { cell: number; share: number }[][] {
  return Array.from({ length: size }, (_, at) => {
    const over: { cell: number; share: number }[] = [];
    for (let cell = Math.floor((at * cells) / size); cell < cells && cell * size < (at + 1) * cells; cell++) {
      const from = Math.max(at, (cell * size) / cells);
      const to = Math.min(at + 1, ((cell + 1) * size) / cells);
      over.push({ cell, share: ((to - from) * cells) / size });
    }
    return over;
  });
}

function differenceHash(cells: Uint8Array): [number, number] {
  const hash: [number, number] = [0, 0];
  const light = (cell: number): number =>
    0.2126 * cells[3 * cell]! + 0.7152 * cells[3 * cell + 1]! + 0.0722 * cells[3 * cell + 2]!;
  for (let row = 0; row < DOWN; row++)
    for (let column = 0; column + 1 < ACROSS; column++) {
      const cell = row * ACROSS + column;
      const half = row < DOWN / 2 ? 0 : 1;
      hash[half] = (hash[half] << 1) | (light(cell) > light(cell + 1) + BRIGHTER ? 1 : 0);
    }
  return hash;
}
