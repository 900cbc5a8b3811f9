import { HourglassError, murmur3 } from '@hourglass/core';

/** Share of the rows of each subset after the first; what is left over is the first's. */
export type Fractions = Record<string, number>;

/** Subset of each row: 0 the first, 1… the others in the order of their fractions. */
export type Assignment = Uint8Array;

/** A number for each row that depends on the seed and the row's position alone. */
export const rowHash = (seed: number, row: number): number => {
  let hash = (seed ^ Math.imul(row + 1, 0x9e3779b1)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** Rows that each subset after the first gets of `rows`: rounded, but at least one where the share is not 0 and rows remain. */
function counts(rows: number, fractions: number[]): number[] {
  let left = rows;
  return fractions.map((fraction) => {
    const wanted = fraction > 0 ? Math.max(1, Math.round(rows * fraction)) : 0;
    const given = Math.min(wanted, Math.max(0, left - 1));
    left -= given;
    return given;
  });
}

/** Gives the rows listed, in the order of their hashes, to the subsets. */
function deal(order: number[], fractions: number[], into: Assignment): void {
  let at = 0;
  counts(order.length, fractions).forEach((count, subset) => {
    for (let end = at + count; at < end; at++) into[order[at]!] = subset + 1;
  });
}

const byHash = (seed: number) => (a: number, b: number) => rowHash(seed, a) - rowHash(seed, b) || a - b;

/** Rows at random, with exact counts. */
export function assignRandomly(rows: number, fractions: Fractions, seed: number): Assignment {
  const order = Array.from({ length: rows }, (_, i) => i).sort(byHash(seed));
  const assignment = new Uint8Array(rows);
  deal(order, Object.values(fractions), assignment);
  return assignment;
}

/** At random within each value, so that every subset has each value in the same share. */
export function assignStratified(values: ArrayLike<string>, fractions: Fractions, seed: number): Assignment {
  const strata = new Map<string, number[]>();
  for (let i = 0; i < values.length; i++) {
    const rows = strata.get(values[i]!);
    if (rows) rows.push(i);
    else strata.set(values[i]!, [i]);
  }
  const assignment = new Uint8Array(values.length);
  for (const rows of strata.values()) deal(rows.sort(byHash(seed)), Object.values(fractions), assignment);
  return assignment;
}

/** Whole groups at random, so that no key is in two subsets; the shares of rows are met as closely as groups allow. */
export function assignGroups(keys: ArrayLike<string>, fractions: Fractions, seed: number): Assignment {
  const sizes = new Map<string, number>();
  for (let i = 0; i < keys.length; i++) sizes.set(keys[i]!, (sizes.get(keys[i]!) ?? 0) + 1);
  const order = [...sizes.keys()].sort((a, b) => murmur3(a, seed) - murmur3(b, seed) || (a < b ? -1 : 1));
  const subset = new Map<string, number>();
  let next = 0;
  counts(keys.length, Object.values(fractions)).forEach((wanted, j) => {
    let given = 0;
    // A group is taken while that brings the count nearer to what is wanted; one group is left to the first subset.
    for (; next < order.length - 1 && given + sizes.get(order[next]!)! / 2 <= wanted; next++) {
      subset.set(order[next]!, j + 1);
      given += sizes.get(order[next]!)!;
    }
  });
  return Uint8Array.from({ length: keys.length }, (_, i) => subset.get(keys[i]!) ?? 0);
}

/**
 * The latest rows to the last subset, those before them to the one before it: nothing is learned from the future. Rows
 * of the same time stay together.
 *
 * @throws COLUMN_INVALID when a time is missing
 */
export function assignByTime(times: Float64Array, fractions: Fractions, column: string): Assignment {
  const absent = times.findIndex((time) => Number.isNaN(time));
  if (absent >= 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Splitting by time: column "${column}" has no value in row ${absent + 1}. Every row needs one: exclude such rows ` +
        'with `where` in data/ingest.',
    );
  const order = Array.from(times.keys()).sort((a, b) => times[a]! - times[b]! || a - b);
  const assignment = new Uint8Array(times.length);
  let end = order.length;
  const wanted = counts(times.length, Object.values(fractions));
  for (let j = wanted.length - 1; j >= 0; j--) {
    let start = end - wanted[j]!;
    while (start > 0 && start < end && times[order[start - 1]!] === times[order[start]!]) start--;
    for (let i = start; i < end; i++) assignment[order[i]!] = j + 1;
    end = start;
  }
  return assignment;
}
