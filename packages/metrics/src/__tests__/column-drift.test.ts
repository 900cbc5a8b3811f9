import { describe, expect, test } from 'vitest';
import { columnDrift, columnReference, type DriftCells } from '../column-drift.ts';
import { driftVerdict } from '../drift-verdict.ts';

const numbers = (values: number[]): DriftCells => ({ kind: 'numeric', values: Float64Array.from(values) });
const words = (values: (string | null)[]): DriftCells => {
  const categories = [...new Set(values.filter((value) => value !== null))];
  return { kind: 'category', categories, codes: values.map((value) => categories.indexOf(value as string)) };
};
const range = (n: number, of: (i: number) => number): DriftCells => numbers(Array.from({ length: n }, (_, i) => of(i)));
const ramp = range(1000, (i) => i);

describe('numbers', () => {
  test('what has not moved has no drift', () => {
    const drift = columnDrift(columnReference(ramp), ramp);
    expect(drift).toMatchObject({ missing: 0, unseen: 0 });
    expect(drift.psi).toBeLessThan(1e-4);
    expect(drift.ks).toBeLessThan(0.006);
  });

  test('KS and PSI of a shift by a tenth of a uniform range are those of the formulas', () => {
    const drift = columnDrift(
      columnReference(ramp),
      range(1000, (i) => i + 100.5),
    );
    // The distribution functions differ by .1 everywhere between; a tenth of the values lies beyond the range.
    expect(drift.ks).toBeCloseTo(0.1, 2);
    expect(drift.unseen).toBeCloseTo(0.1, 2);
    // First bin 10 % → 0 (floor 1e-4), last 10 % → 20 %, the others as they were.
    const expected = (1e-4 - 0.1) * Math.log(1e-4 / 0.1) + (0.2 - 0.1) * Math.log(2);
    expect(drift.psi).toBeCloseTo(expected, 2);
  });

  test('a value that many rows share is no drift, and another one in its place is all of it', () => {
    const zeros = range(1000, (i) => (i < 700 ? 0 : i));
    expect(columnDrift(columnReference(zeros), zeros).ks).toBeLessThan(0.006);
    const same = columnReference(range(100, () => 5));
    expect(
      columnDrift(
        same,
        range(50, () => 5),
      ),
    ).toEqual({ psi: 0, ks: 0, missing: 0, unseen: 0 });
    expect(
      columnDrift(
        same,
        range(50, () => 6),
      ),
    ).toMatchObject({ ks: 1, unseen: 1 });
  });

  test('missing cells and infinite ones count as such', () => {
    const half = numbers([1, 2, NaN, NaN]);
    expect(columnDrift(columnReference(numbers([1, 2, 3, 4])), half).missing).toBe(0.5);
    expect(columnDrift(columnReference(half), numbers([1, 2])).missing).toBe(-0.5);
    const reference = columnReference(numbers([1, 2, Infinity, -Infinity]));
    expect(reference).toMatchObject({ missing: 0 });
    expect(columnDrift(reference, numbers([1, 2, Infinity, 2])).unseen).toBe(0.25);
    const none = numbers([NaN, NaN]);
    expect(columnDrift(columnReference(none), numbers([1, 2]))).toEqual({ psi: 0, ks: 0, missing: -1, unseen: 0 });
    expect(columnDrift(columnReference(ramp), none)).toEqual({ psi: 0, ks: 0, missing: 1, unseen: 0 });
    expect(columnDrift(columnReference(ramp), numbers([]))).toEqual({ psi: 0, ks: 0, missing: 0, unseen: 0 });
  });
});

describe('categories', () => {
  const repeat = (counts: Record<string, number>): DriftCells =>
    words(Object.entries(counts).flatMap(([name, n]) => Array<string>(n).fill(name)));

  test('PSI and distance are those of the formulas', () => {
    const drift = columnDrift(columnReference(repeat({ a: 50, b: 50 })), repeat({ a: 80, b: 20 }));
    expect(drift.psi).toBeCloseTo(0.3 * Math.log(1.6) + -0.3 * Math.log(0.4), 10);
    expect(drift).toMatchObject({ unseen: 0, missing: 0 });
    expect(drift.ks).toBeCloseTo(0.3, 10);
  });

  test('a category that never occurred is unseen', () => {
    const drift = columnDrift(columnReference(repeat({ a: 50, b: 50 })), repeat({ a: 45, b: 45, c: 10 }));
    expect(drift.unseen).toBeCloseTo(0.1, 10);
    expect(drift.psi).toBeGreaterThan(0.6);
  });

  test('new values of an id are what was to be expected, and rare categories are no drift by their number', () => {
    const ids = (from: number) => words(Array.from({ length: 500 }, (_, i) => `id ${from + i}`));
    expect(columnDrift(columnReference(ids(0)), ids(1000))).toMatchObject({ psi: 0, ks: 0, unseen: 0 });
    // A thousand categories by turns, each a few times: the second sample meets others of them more often.
    const rare = (step: number) => words(Array.from({ length: 5000 }, (_, i) => `c${(i * step) % 1000}`));
    expect(columnDrift(columnReference(rare(7)), rare(11)).psi).toBeLessThan(0.01);
  });

  test('numbers against categories are compared by name', () => {
    const reference = columnReference(words(['0', '1', '1', '0']));
    expect(columnDrift(reference, numbers([0, 1, 0, 1]))).toMatchObject({ psi: 0, ks: 0 });
  });
});

test('the verdict names the worst first and keeps to a hundred columns', () => {
  const limits = { psi: 0.2, ks: 0.2, missing: 0.1, unseen: 0.1 };
  const none = { psi: 0, ks: 0, missing: 0, unseen: 0 };
  expect(driftVerdict([['a', none]], limits)).toMatchObject({ drifted: false, beyond: 0, maxPsi: 0 });
  const found = [
    ['quiet', { ...none, psi: 0.2, missing: -0.1 }],
    ['gaps', { ...none, missing: 0.4 }],
    ['moved', { ...none, psi: 2, ks: 0.5 }],
    ['fewer', { ...none, missing: -0.2 }],
    ['fresh', { ...none, unseen: 0.15 }],
  ] as const;
  const verdict = driftVerdict(found, limits);
  expect(verdict.reason).toBe('moved: PSI 2.00, gaps: 40 % more missing, fewer: 20 % less missing and 1 more');
  expect(verdict).toMatchObject({ drifted: true, beyond: 4, maxPsi: 2, maxKs: 0.5 });
  const wide = Array.from({ length: 250 }, (_, i) => [`c${i}`, { ...none, psi: i }] as const);
  const told = Object.keys(driftVerdict(wide, limits).columns);
  expect([told.length, told[0]]).toEqual([100, 'c249']);
});
