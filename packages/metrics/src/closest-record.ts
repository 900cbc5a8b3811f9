import { HourglassError } from '@hourglass/core';
import type { ComparedColumn } from './column-similarity.ts';

/** Rows whose distances can be measured: numbers by the range of the reference, categories by name. */
export interface RecordSpace {
  names: string[];
  /** Range of each number in the reference; 0 for categories. */
  ranges: number[];
  /** Codes of names, common to all tables; −1 for missing. */
  codes: Map<string, number>[];
}

export type Records = Readonly<Record<string, ComparedColumn>>;

/** Fits the ranges on a reference table. */
export function fitRecordSpace(reference: Records): RecordSpace {
  const names = Object.keys(reference);
  return {
    names,
    ranges: names.map((name) => {
      const column = reference[name]!;
      if (column.kind === 'category') return 0;
      const known = column.values.filter((value) => !Number.isNaN(value));
      return known.length ? known.reduce((a, b) => Math.max(a, b)) - known.reduce((a, b) => Math.min(a, b)) : 0;
    }),
    codes: names.map(() => new Map()),
  };
}

/** A table in a space: `[n, p]`, numbers over their range, NaN for missing; categories as codes. */
export function placeRecords(space: RecordSpace, records: Records, rows: readonly number[]): Float64Array {
  const p = space.names.length;
  const out = new Float64Array(rows.length * p);
  space.names.forEach((name, j) => {
    const column = records[name]!;
    const codes = space.codes[j]!;
    const range = space.ranges[j]! || 1;
    const known =
      column.kind === 'category'
        ? column.categories.map((category) => {
            if (!codes.has(category)) codes.set(category, codes.size);
            return codes.get(category)!;
          })
        : [];
    rows.forEach((row, i) => {
      out[i * p + j] =
        column.kind === 'numeric'
          ? column.values[row]! / range
          : column.codes[row]! < 0
            ? -1
            : known[column.codes[row]!]!;
    });
  });
  return out;
}

/**
 * Distance of each query to its closest record: mean over the columns of |difference| / range, and of 0 or 1 for categories;
 * one missing of two counts 1, both missing 0 (Gower).
 */
export function closestDistances(space: RecordSpace, base: Float64Array, queries: Float64Array): Float64Array {
  const p = space.names.length;
  if (base.length === 0)
    throw new HourglassError('DATA_INSUFFICIENT', 'closestDistances: expected records to compare with, found none');
  const [n, q] = [base.length / p, queries.length / p];
  const numeric = space.ranges.map((range) => range > 0);
  const out = new Float64Array(q);
  for (let i = 0; i < q; i++) {
    let least = Infinity;
    for (let r = 0; r < n; r++) {
      let sum = 0;
      for (let j = 0; j < p && sum < least; j++) {
        const a = queries[i * p + j]!;
        const b = base[r * p + j]!;
        if (!numeric[j]) sum += a === b || (a !== a && b !== b) ? 0 : 1;
        else if (a !== a || b !== b) sum += a !== a && b !== b ? 0 : 1;
        else sum += Math.min(1, Math.abs(a - b));
      }
      if (sum < least) least = sum;
    }
    out[i] = least / p;
  }
  return out;
}

/** Share of queries nearer to one set of records than to another of equal size, ties counting half. */
export function nearerShare(toOne: Float64Array, toOther: Float64Array): { share: number; low: number; high: number } {
  let nearer = 0;
  toOne.forEach((distance, i) => (nearer += distance < toOther[i]! ? 1 : distance === toOther[i]! ? 0.5 : 0));
  return { share: nearer / toOne.length, ...wilsonInterval(nearer, toOne.length) };
}

/** Where a share lies in 95 of 100 cases. Source: Wilson (JASA 1927). */
export function wilsonInterval(successes: number, n: number): { low: number; high: number } {
  const z2 = 1.959963984540054 ** 2;
  const share = successes / n;
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Math.sqrt(z2) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
