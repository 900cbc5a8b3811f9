import { hostRandom } from '@hourglass/engine';
import { describe, expect, it } from 'vitest';
import { fillRow, fitGaussian } from '../network/gaussian-fit.ts';
import { chooseRidge } from '../network/gaussian-ridge.ts';

/** n rows of p columns that share one cause, and `share` of their variance with it. */
function rows(n: number, p: number, share: number): Float32Array {
  const { normal } = hostRandom(3);
  const x = new Float32Array(n * p);
  for (let i = 0; i < n; i++) {
    const cause = normal();
    for (let j = 0; j < p; j++) x[i * p + j] = Math.sqrt(share) * cause + Math.sqrt(1 - share) * normal();
  }
  return x;
}

/** 1 but for every eleventh cell: other columns in each row. */
const seen = (cells: number): Uint8Array => Uint8Array.from({ length: cells }, (_, k) => (k % 11 === 0 ? 0 : 1));

/** Mean squared error of the cells that are not seen, filled by the normal of the seen ones; columns' means cost 1. */
async function fillingError(x: Float32Array, observed: Uint8Array, p: number, ridge: number): Promise<number> {
  const normal = await fitGaussian(x, observed, p, { ridge });
  let [error, cells] = [0, 0];
  for (let at = 0; at < x.length; at += p) {
    const hidden = Array.from({ length: p }, (_, j) => j).filter((j) => !observed[at + j]);
    const filled = Float64Array.from(x.subarray(at, at + p));
    fillRow(filled, 0, normal, hidden);
    for (const j of hidden) error += (filled[j]! - x[at + j]!) ** 2;
    cells += hidden.length;
  }
  return error / cells;
}

describe('chooseRidge', () => {
  it('keeps the normal of few rows for many columns from knowing them by heart', async () => {
    const p = 60;
    const x = rows(80, p, 0.3);
    const observed = seen(x.length);
    expect(await fillingError(x, observed, p, 0.01)).toBeGreaterThan(1);
    expect(await fillingError(x, observed, p, await chooseRidge(x, observed, p))).toBeLessThan(0.95);
  });

  it('chooses little where columns tell one another, however few the rows', async () => {
    expect(await chooseRidge(rows(60, 20, 0.99), seen(1200), 20)).toBeLessThan(0.3);
  });

  it('tries nothing where rows are many for the columns, or none', async () => {
    const tried: number[] = [];
    const watch = async (ridge: number): Promise<void> => void tried.push(ridge);
    expect(await chooseRidge(rows(100, 10, 0.3), seen(1000), 10, watch)).toBe(0.01);
    expect(await chooseRidge(new Float32Array(0), [], 3, watch)).toBe(0.01);
    expect(tried).toEqual([]);
  });

  it('takes columns without a value and rows without any', async () => {
    expect(Number.isFinite(await chooseRidge(rows(8, 4, 0.3), new Uint8Array(32), 4))).toBe(true);
  });
});
