import { didYouMean, HourglassError } from '@hourglass/core';
import type { Table } from '@hourglass/dataset';

/** `left ≤ right` or `left < right`; each side a column or a number. */
export interface Comparison {
  left: string | number;
  strict: boolean;
  right: string | number;
  /** As it was declared. */
  text: string;
}

const SIDE = String.raw`("[^"]+"|[\p{L}_][\p{L}\p{N}_.]*|-?\d+(?:\.\d+)?(?:e-?\d+)?)`;
const SHAPE = new RegExp(String.raw`^\s*${SIDE}\s*(<=|<|>=|>)\s*${SIDE}\s*$`, 'u');

/**
 * `a <= b`, `a < b`, `a >= 0`; names with other characters in double quotes.
 * @param columns numeric columns that are learned
 * @throws OPTION_INVALID for another shape, a column that is no learned number, comparisons that contradict each other
 */
export function parseComparisons(stage: string, texts: readonly string[], columns: readonly string[]): Comparison[] {
  const parsed = texts.map((text): Comparison => {
    const match = SHAPE.exec(text);
    if (!match)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: constraints: expected a comparison such as a <= b, a < b or a >= 0, found "${text}"`,
      );
    const [left, operator, right] = [
      side(stage, text, match[1]!, columns),
      match[2]!,
      side(stage, text, match[3]!, columns),
    ];
    const strict = !operator.endsWith('=');
    return operator.startsWith('<') ? { left, strict, right, text } : { left: right, strict, right: left, text };
  });
  refuseContradiction(stage, parsed);
  return parsed;
}

function side(stage: string, text: string, found: string, columns: readonly string[]): string | number {
  if (/^-?\d/.test(found)) return Number(found);
  const name = found.startsWith('"') ? found.slice(1, -1) : found;
  if (columns.includes(name)) return name;
  const near = didYouMean(name, columns);
  throw new HourglassError(
    'OPTION_INVALID',
    `${stage}: constraints: "${text}" names "${name}", which is no learned number or date of the table${near ? `; did you mean "${near}"?` : ''}. Those are ${columns.slice(0, 12).join(', ') || 'none'}`,
    { details: { option: 'constraints', column: name } },
  );
}

/** A way from a side back to itself that is strict somewhere holds in no row. */
function refuseContradiction(stage: string, comparisons: readonly Comparison[]): void {
  const numbers = [...new Set(comparisons.flatMap(({ left, right }) => [left, right]))]
    .filter((each): each is number => typeof each === 'number')
    .sort((a, b) => a - b);
  const rising = numbers.slice(1).map((right, i): Comparison => ({ left: numbers[i]!, strict: true, right, text: '' }));
  const all = [...comparisons, ...rising];
  for (const edge of all) {
    const back = edge.strict ? shortestWay(all, edge.right, edge.left) : undefined;
    if (back)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: constraints contradict each other: ${[edge, ...back].flatMap(({ text }) => (text ? [text] : [])).join(' and ')} hold together in no row; drop one of them`,
      );
  }
}

/** Comparisons that lead from one side to another, each side visited once. */
function shortestWay(all: readonly Comparison[], from: string | number, to: string | number): Comparison[] | undefined {
  const ways = new Map<string | number, Comparison[]>([[from, []]]);
  // A map is gone through in the order of its entries, those added meanwhile too.
  for (const [side, way] of ways) {
    if (side === to) return way;
    for (const edge of all) if (edge.left === side && !ways.has(edge.right)) ways.set(edge.right, [...way, edge]);
  }
  return undefined;
}

/** Whether a row keeps all comparisons; a missing side keeps it. */
export function keepsComparisons(comparisons: readonly Comparison[], table: Table): (row: number) => boolean {
  const value = (each: string | number): ((row: number) => number) => {
    if (typeof each === 'number') return () => each;
    const { values } = table.columns[each] as { values: Float64Array };
    return (row) => values[row]!;
  };
  const sides = comparisons.map(({ left, strict, right }) => ({ a: value(left), b: value(right), strict }));
  return (row) => sides.every(({ a, b, strict }) => !(strict ? a(row) >= b(row) : a(row) > b(row)));
}

/** A constraint is a fact of the table, not a wish. @throws OPTION_INVALID with the rows that break one */
export function requireHeld(stage: string, comparisons: readonly Comparison[], table: Table): void {
  for (const comparison of comparisons) {
    const keeps = keepsComparisons([comparison], table);
    const broken = Array.from({ length: table.rows }, (_, row) => row).filter((row) => !keeps(row));
    if (broken.length > 0)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: constraints: "${comparison.text}" does not hold in ${broken.length} of ${table.rows} training rows, the first is row ${broken[0]}; correct the rows, or drop the constraint`,
        { details: { constraint: comparison.text, rows: broken.length } },
      );
  }
}
