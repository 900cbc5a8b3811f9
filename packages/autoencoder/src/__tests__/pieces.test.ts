import { resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { knotFacts } from '../network/knots.ts';
import { columnBounds, inPieces, pieceBounds } from '../network/pieces.ts';
import { encodedColumns as encoded } from './support/encoded-columns.ts';

async function shown(bounds: ReturnType<typeof pieceBounds>, x: number[][], mask: number[][]): Promise<number[][]> {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const params = Object.fromEntries(
      Object.entries(bounds).map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
    );
    return inPieces(tf.tensor2d(x), tf.tensor2d(mask), params).arraySync() as number[][];
  });
}

describe('numbers in pieces', () => {
  it('are a thermometer where a column has few values: full below, empty above', async () => {
    const bounds = pieceBounds(columnBounds(encoded([[0, 1, 4, 0, 1, 4]]), 1, 1, 3, knotFacts), 3);
    expect(await shown(bounds, [[0], [1], [4], [2.5], [-9], [99]], Array(6).fill([1]))).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [1, 1, 0],
      [1, 0.5, 0],
      [0, 0, 0],
      [1, 1, 0],
    ]);
  });

  it('are quantiles where it has many, of the cells seen only', async () => {
    const values = Array.from({ length: 101 }, (_, k) => k ** 2);
    const hidden = values.map((_, k) => (k > 80 ? 0 : 1));
    const bounds = pieceBounds(columnBounds(encoded([values], [hidden]), 1, 1, 4, knotFacts), 4);
    expect([...bounds['skip/pieces/low']!.values]).toEqual([0, 400, 1600, 3600]);
    expect(await shown(bounds, [[400], [6400]], [[1], [1]])).toEqual([
      [1, 0, 0, 0],
      [1, 1, 1, 1],
    ]);
  });

  it('are empty where a cell is hidden, and of a constant or empty column', async () => {
    const bounds = pieceBounds(
      columnBounds(
        encoded(
          [
            [1, 2],
            [5, 5],
            [0, 0],
          ],
          [
            [1, 1],
            [1, 1],
            [0, 0],
          ],
        ),
        3,
        3,
        1,
        knotFacts,
      ),
      1,
    );
    expect(
      await shown(
        bounds,
        [
          [2, 5, 0],
          [2, 7, 3],
        ],
        [
          [1, 1, 1],
          [0, 1, 1],
        ],
      ),
    ).toEqual([
      [1, 0, 0],
      [0, 0, 0],
    ]);
  });
});
