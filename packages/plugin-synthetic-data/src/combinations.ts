import type { ColumnHead, GroupAnswer, TableEncoder } from '@hourglass/autoencoder';
import { didYouMean, HourglassError } from '@hourglass/core';

/** Columns whose values occur together only as they did in training. */
export interface Combination {
  /** Indices into the encoder's columns. */
  columns: number[];
  /** Classes of those columns that occurred together. */
  allowed: number[][];
}

const MOST = 20_000;

/**
 * Collects the combinations that occur.
 * @param classOf class of a training row in a column
 * @throws OPTION_INVALID for columns that are not learned, told by intervals, or named twice
 */
export function collectCombinations(
  stage: string,
  groups: readonly (readonly string[])[],
  encoder: TableEncoder,
  heads: readonly ColumnHead[],
  rows: number,
  classOf: (row: number, column: number) => number,
): Combination[] {
  const names = encoder.columns.map(({ name }) => name);
  const used = new Set<string>();
  return groups.map((group) => {
    const columns = group.map((name) => {
      const at = names.indexOf(name);
      const near = didYouMean(name, names);
      const invalid = (found: string): HourglassError =>
        new HourglassError('OPTION_INVALID', `${stage}: combinations: ${found}`, { details: { column: name } });
      if (at < 0) throw invalid(`"${name}" is no learned column${near ? `; did you mean "${near}"?` : ''}`);
      if (used.has(name)) throw invalid(`"${name}" is named twice; a column can be in one combination`);
      if (heads[at]!.vector) throw invalid(`"${name}" holds lists of numbers, which are in no combination`);
      if (heads[at]!.modes?.modes.some(({ map }) => map))
        throw invalid(
          `"${name}" takes too many values to be fixed in combinations; name it in categorical, or leave it out`,
        );
      used.add(name);
      return at;
    });
    const allowed = new Map<string, number[]>();
    for (let row = 0; row < rows; row++) {
      const classes = columns.map((column) => classOf(row, column));
      allowed.set(classes.join(), classes);
    }
    if (allowed.size > MOST)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: combinations: ${group.join(', ')} occur in ${allowed.size} combinations, at most ${MOST} can be fixed; name fewer columns`,
      );
    return { columns, allowed: [...allowed.values()].sort((a, b) => (a.join() < b.join() ? -1 : 1)) };
  });
}

/**
 * Draws the classes of such columns together: each allowed combination as likely as the product of its cells' chances.
 * @returns class of a row's cell, or −1 for columns in no combination
 */
export function drawCombinations(
  combinations: readonly Combination[],
  answers: readonly GroupAnswer[],
  rows: number,
  uniform: () => number,
): (row: number, column: number) => number {
  const chosen = new Map<number, Int32Array>();
  for (const { columns, allowed } of combinations) {
    const chances = columns.map((column) => chanceReader(answers, column));
    const picked = columns.map(() => new Int32Array(rows));
    const totals = new Float64Array(allowed.length);
    for (let row = 0; row < rows; row++) {
      let total = 0;
      allowed.forEach((classes, k) => {
        let p = 1;
        for (let i = 0; i < classes.length; i++) p *= chances[i]!(row, classes[i]!);
        totals[k] = total += p;
      });
      const u = uniform() * total;
      let k = 0;
      while (k < allowed.length - 1 && totals[k]! <= u) k++;
      allowed[k]!.forEach((index, i) => (picked[i]![row] = index));
    }
    columns.forEach((column, i) => chosen.set(column, picked[i]!));
  }
  return (row, column) => chosen.get(column)?.[row] ?? -1;
}

/** Chance of a class in a column. */
function chanceReader(answers: readonly GroupAnswer[], column: number): (row: number, index: number) => number {
  const answer = answers.find(({ group }) => group.columns.includes(column))!;
  const { columns, width } = answer.group;
  const at = columns.indexOf(column);
  // Never quite 0, so that rounding leaves no row without a combination.
  return (row, index) => Math.max(answer.probabilities[(row * columns.length + at) * width + index]!, 1e-12);
}
