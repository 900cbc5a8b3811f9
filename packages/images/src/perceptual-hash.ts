import { withChannels, type RawImage } from './raw-image.ts';

const ACROSS = 9;
const DOWN = 8;

/**
 * 64-bit difference hash: whether each cell of a 9 × 8 mean of the picture is brighter than the one to its right. Pictures
 * that look the same have the same hash, whatever their size or format. Source: Krawetz 2013 (dHash).
 */
export function perceptualHash(image: RawImage): string {
  const { width, height, data } = withChannels(image, 1);
  const mean = (column: number, row: number): number => {
    const [left, right] = span(column, ACROSS, width);
    const [top, bottom] = span(row, DOWN, height);
    let sum = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += data[y * width + x]!;
    return sum / ((right - left) * (bottom - top));
  };
  let hash = 0n;
  for (let row = 0; row < DOWN; row++)
    for (let column = 0; column + 1 < ACROSS; column++)
      hash = (hash << 1n) | (mean(column, row) > mean(column + 1, row) ? 1n : 0n);
  return hash.toString(16).padStart(16, '0');
}

/** Pixels of a cell, at least one. */
function span(cell: number, cells: number, size: number): [number, number] {
  const from = Math.min(size - 1, Math.floor((cell * size) / cells));
  return [from, Math.max(from + 1, Math.floor(((cell + 1) * size) / cells))];
}
