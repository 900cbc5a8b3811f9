import type { ColumnData, Table, VectorData } from '@hourglass/dataset';
import { className } from './category.ts';
import { classCount, tableLayout, valueColumns, valueWidth, type ColumnEncoder, type TableEncoder } from './encoder.ts';
import { denormalise } from './normaliser.ts';
import { decodeVectors } from './vectors.ts';

/** A network's answer for n rows: what each cell should hold. */
export interface Reconstruction {
  rows: number;
  /** `[n, p]`: normalised numbers and elements of vectors, then probabilities of true. */
  values: Float32Array;
  /** Category columns in the encoder's order: `[n, classes]` probabilities. */
  probabilities: Float32Array[];
}

export interface DecodeOptions {
  /**
   * `deliver`: as the table holds values: whole numbers where only whole ones occurred, inside the observed range,
   * booleans 0 / 1. `exact`: the learner's own estimate, for scores. @default 'deliver'
   */
  as?: 'deliver' | 'exact';
}

/** Back to the table's units; categories by their most probable class. */
export function decodeTable(
  encoder: TableEncoder,
  reconstruction: Reconstruction,
  { as = 'deliver' }: DecodeOptions = {},
): Table {
  const { rows, values, probabilities } = reconstruction;
  const layout = tableLayout(encoder);
  const p = valueWidth(layout);
  const first = valueColumns(layout);
  const columns: Record<string, ColumnData> = {};
  const vectors: Record<string, VectorData> = {};
  let at = 0;
  encoder.columns.forEach((column, j) => {
    if (column.kind === 'vector') {
      vectors[column.name] = decodeVectors(column, values, { at, width: p, rows, exact: as === 'exact' });
      at += column.length;
      return;
    }
    if (column.kind === 'category') {
      const classes = classCount(column);
      const winners = Int32Array.from({ length: rows }, (_, row) =>
        argMax(probabilities[j - first]!.subarray(row * classes, (row + 1) * classes)),
      );
      const names = Array.from({ length: classes }, (_, index) => className(column, index));
      columns[column.name] = column.numeric
        ? { kind: 'numeric', values: Float64Array.from(winners, (index) => Number(names[index] ?? NaN)) }
        : { kind: 'category', codes: winners, categories: names };
      return;
    }
    const decoded = new Float64Array(rows);
    for (let row = 0; row < rows; row++) decoded[row] = decodeCell(column, values[row * p + at]!, as);
    at++;
    columns[column.name] = { kind: 'numeric', values: decoded };
  });
  return { rows, columns, ...(Object.keys(vectors).length > 0 ? { vectors } : {}) };
}

/** The physical type of a column's answer: the column's own, or a double where fractions are kept. */
export const answerType = ({ kind }: ColumnEncoder, physical: string, as: 'deliver' | 'exact'): string =>
  as === 'deliver' || kind === 'category' ? physical : kind === 'vector' ? 'DOUBLE[]' : 'DOUBLE';

/** One number or boolean cell back in the table's units; NaN for a column that was empty in training. */
export function decodeCell(column: ColumnEncoder, value: number, as: 'deliver' | 'exact'): number {
  if (column.kind === 'boolean') return as === 'exact' ? value : value >= 0.5 ? 1 : 0;
  if (column.kind === 'category' || column.kind === 'vector')
    throw new Error(`${column.name} is a ${column.kind}: it has no single value`);
  if (column.empty) return NaN;
  const exact = denormalise(column.map, value);
  if (as === 'exact') return exact;
  const whole =
    column.integer || column.type === 'date' ? roundTo(exact, column.type === 'date' ? 86_400_000 : 1) : exact;
  return Math.min(Math.max(whole, column.min), column.max);
}

const roundTo = (value: number, unit: number): number => Math.round(value / unit) * unit;

/** Index of the largest, the first among equals; −1 (missing) when there is none. */
export function argMax(values: Float32Array): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) if (best < 0 || values[i]! > values[best]!) best = i;
  return best;
}
