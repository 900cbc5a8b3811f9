import { deriveSeed, HourglassError } from '@hourglass/core';
import type { Column, ColumnData } from '@hourglass/dataset';
import { FIRST_CATEGORY, MISSING_CODE, UNKNOWN_CODE, type CategoryEncoder } from './encoder.ts';
import { entropyFloor, xLogX, type FitOptions } from './fit.ts';

/** Hash buckets rare categories share. */
const BUCKETS = 64;

/**
 * Fits a category column. Categories stand by falling frequency, ties by name, so that the codes do not depend on the
 * order of the rows.
 * @returns undefined for text that passes through
 * @throws COLUMN_INVALID for text
 */
export function fitCategory(
  column: Column,
  data: ColumnData,
  options: FitOptions,
  notices: string[],
): CategoryEncoder | undefined {
  const counts = countCategories(data);
  const observed = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rows = data.kind === 'category' ? data.codes.length : data.values.length;
  if (column.type === 'string' && isText(counts.size, observed)) {
    const found = `column "${column.name}" looks like text or an id: ${counts.size} different values in ${observed} cells`;
    if (options.text !== 'pass')
      throw new HourglassError(
        'COLUMN_INVALID',
        `${found}; leave it out of learning: exclude: [${column.name}], or text: pass for all such columns`,
        { details: { column: column.name, distinct: counts.size, cells: observed } },
      );
    notices.push(`${found}; it passes through unlearned`);
    return undefined;
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const limit = options.maxCategories ?? 256;
  const own = ranked.slice(0, ranked.length > limit ? limit : undefined);
  const rare = ranked.slice(own.length);
  const representatives: string[] = [];
  const bucketCounts: number[] = [];
  if (rare.length > 0) {
    notices.push(
      `column "${column.name}" has ${ranked.length} categories: the ${limit} most frequent keep codes of their own, ` +
        `${rare.length} rarer ones share ${BUCKETS} by hash (maxCategories: ${limit})`,
    );
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      representatives.push('');
      bucketCounts.push(0);
    }
    for (const [name, count] of rare) {
      const bucket = deriveSeed(0, name) % BUCKETS;
      if (representatives[bucket] === '') representatives[bucket] = name;
      bucketCounts[bucket]! += count;
    }
  }
  if (ranked.length === 0) notices.push(`column "${column.name}" has no value at all: it stays missing`);
  else if (ranked.length === 1) notices.push(`column "${column.name}" is constant (${ranked[0]![0]})`);
  const entropy = [...own.map(([, count]) => count), ...bucketCounts].reduce(
    (sum, count) => sum - xLogX(count / Math.max(1, observed)),
    0,
  );
  return {
    kind: 'category',
    name: column.name,
    type: column.type,
    missing: 1 - observed / rows,
    weight: 1 / entropyFloor(entropy),
    categories: own.map(([name]) => name),
    counts: own.map(([, count]) => count),
    buckets: representatives.length,
    representatives,
    numeric: data.kind === 'numeric',
  };
}

/** Mostly different values, and many of them: nothing to learn per category. */
const isText = (distinct: number, observed: number): boolean => distinct > 50 && distinct > observed / 2;

function countCategories(data: ColumnData): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  if (data.kind === 'category')
    for (const code of data.codes) {
      if (code >= 0) add(data.categories[code]!);
    }
  else for (const value of data.values) if (!Number.isNaN(value)) add(String(value));
  return counts;
}

/** Codes of a column's cells in the network. */
export function encodeCategory(encoder: CategoryEncoder, data: ColumnData, write: (row: number, code: number) => void) {
  const codes = new Map(encoder.categories.map((name, index) => [name, index + FIRST_CATEGORY]));
  const codeOf = (name: string): number =>
    codes.get(name) ??
    (encoder.buckets > 0
      ? FIRST_CATEGORY + encoder.categories.length + (deriveSeed(0, name) % encoder.buckets)
      : UNKNOWN_CODE);
  if (data.kind === 'category') {
    const dictionary = Int32Array.from(data.categories, codeOf);
    data.codes.forEach((code, row) => write(row, code < 0 ? MISSING_CODE : dictionary[code]!));
  } else data.values.forEach((value, row) => write(row, Number.isNaN(value) ? MISSING_CODE : codeOf(String(value))));
}

/** Name a class of the output stands for. */
export const className = (encoder: CategoryEncoder, index: number): string =>
  encoder.categories[index] ?? encoder.representatives[index - encoder.categories.length]!;
