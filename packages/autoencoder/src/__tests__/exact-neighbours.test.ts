import { hostRandom, resolveEngine } from '@hourglass/engine';
import { nearestNeighbours, type NumberMatrix } from '@hourglass/metrics';
import { describe, expect, it, vi } from 'vitest';
import { exactNeighbours } from '../neighbours/exact-neighbours.ts';

const D = 40;
/** Rows about two places far from each other, each third one there twice, so that rounding and equals count. */
function crowd(rows: number, seed: number, spread = 1): NumberMatrix {
  const random = hostRandom(seed);
  const data = Float64Array.from(
    { length: rows * D },
    (_, i) => (Math.floor(i / D) % 2 ? 100 : 0) + spread * random.normal(),
  );
  for (let row = 3; row < rows; row += 3) data.copyWithin(row * D, (row - 1) * D, row * D);
  return { rows, cols: D, data };
}

describe('exactNeighbours by an engine', () => {
  it.each([
    ['others', 1, false],
    ['others that differ by less than single precision tells', 1e-4, false],
    ['the rows themselves', 1, true],
  ])('gives what comparing all rows gives: %s', async (_, spread, self) => {
    const engine = await resolveEngine('onnxruntime');
    const compile = vi.spyOn(engine, 'compileForward');
    const base = crowd(3000, 1, spread);
    const queries = self ? base : crowd(2000, 2, spread);
    const found = await exactNeighbours(engine, base, queries, 7, { self });
    expect(compile).toHaveBeenCalledOnce();
    expect(found).toEqual(nearestNeighbours(base, queries, 7, { self }));
  });

  it('takes numbers too large for single precision the plain way', async () => {
    const engine = await resolveEngine('onnxruntime');
    const base = crowd(3000, 1, 1e30);
    const queries = crowd(1700, 2, 1e30);
    expect(await exactNeighbours(engine, base, queries, 3)).toEqual(nearestNeighbours(base, queries, 3));
  });

  it('stops between batches when asked to', async () => {
    const engine = await resolveEngine('onnxruntime');
    const base = crowd(3000, 1);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(exactNeighbours(engine, base, base, 3, { self: true, signal })).rejects.toThrow('enough');
  });
});
