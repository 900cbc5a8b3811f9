import { describe, expect, it } from 'vitest';
import { assignByTime, assignGroups, assignRandomly, assignStratified } from '../assign-rows.ts';

const count = (assignment: Uint8Array, subset: number, where: (row: number) => boolean = () => true) =>
  assignment.reduce((sum, value, row) => sum + Number(value === subset && where(row)), 0);

describe('dividing rows', () => {
  it('gives each subset its exact share at random, the same for the same seed', () => {
    const a = assignRandomly(1000, { validation: 0.1, test: 0.25 }, 7);
    expect([count(a, 0), count(a, 1), count(a, 2)]).toEqual([650, 100, 250]);
    expect(a).toEqual(assignRandomly(1000, { validation: 0.1, test: 0.25 }, 7));
    expect(a).not.toEqual(assignRandomly(1000, { validation: 0.1, test: 0.25 }, 8));
  });

  it('takes the test from all over the table', () => {
    const a = assignRandomly(10_000, { test: 0.2 }, 1);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = count(a, 1, (row) => Math.floor(row / 1000) === tenth) / 1000;
      expect(share).toBeGreaterThan(0.15);
      expect(share).toBeLessThan(0.25);
    }
  });

  it('keeps the share of every value, rare ones too', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i % 100 === 0 ? 'rare' : i % 2 ? 'odd' : 'even'));
    const a = assignStratified(values, { test: 0.3 }, 3);
    for (const [value, total] of Object.entries({ rare: 10, odd: 500, even: 490 }))
      expect(count(a, 1, (row) => values[row] === value)).toBe(total * 0.3);
  });

  it('never puts a group on both sides, and leaves one group at least to train on', () => {
    const keys = Array.from({ length: 500 }, (_, i) => `customer ${i % 37}`);
    const a = assignGroups(keys, { test: 0.2 }, 5);
    const sides = new Map<string, Set<number>>();
    keys.forEach((key, row) => sides.set(key, (sides.get(key) ?? new Set()).add(a[row]!)));
    expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
    expect(count(a, 1) / 500).toBeGreaterThan(0.12);
    expect(count(a, 1) / 500).toBeLessThan(0.28);
    expect(count(assignGroups(['a', 'a', 'b'], { test: 0.9 }, 1), 0)).toBeGreaterThan(0);
  });

  it('tests on the latest rows and keeps equal times together', () => {
    const times = Float64Array.of(5, 1, 4, 4, 2, 3);
    const a = assignByTime(times, { test: 0.3 }, 'day');
    // Two rows are asked for; the second latest time is shared by two rows, so three come.
    expect([...a]).toEqual([1, 0, 1, 1, 0, 0]);
  });

  it('names the row without a time', () => {
    expect(() => assignByTime(Float64Array.of(1, NaN), { test: 0.5 }, 'day')).toThrow(
      /column "day" has no value in row 2/,
    );
  });
});
