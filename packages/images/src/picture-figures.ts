import type { Figure } from '@hourglass/artifacts';
import { imageGrid } from './grid.ts';
import type { RawImage } from './raw-image.ts';

/** Pictures shown every time. */
const FIXED = 8;

/**
 * Grids of pictures to look at: of the best, the middle and the worst answer, and of the same pictures every time.
 * @param quality of each answer, larger is better
 * @param row the pictures shown for an answer, from left to right
 * @param columns what they are, for the titles
 */
export async function pictureFigures(
  quality: readonly number[],
  row: (answer: number) => RawImage[],
  columns: string,
): Promise<Figure[]> {
  const order = quality.map((_, i) => i).sort((a, b) => quality[b]! - quality[a]!);
  const extremes = [order[0]!, order[order.length >> 1]!, order.at(-1)!];
  const fixed = Array.from({ length: Math.min(FIXED, quality.length) }, (_, i) =>
    Math.floor((i * quality.length) / FIXED),
  );
  const grid = (answers: number[]): Promise<Uint8Array> => imageGrid([...new Set(answers)].map(row));
  return [
    { id: 'extremes', title: `Best, middle and worst picture: ${columns}`, format: 'png', png: await grid(extremes) },
    { id: 'fixed', title: `The same pictures every time: ${columns}`, format: 'png', png: await grid(fixed) },
  ];
}
