import type { ColumnData, Table, VectorData } from '@hourglass/dataset';
import { argMax, decodeCell } from '../columns/decode.ts';
import type { TableEncoder } from '../columns/encoder.ts';
import type { DecoderAnswers, VectorAnswer } from './generator.ts';
import type { ColumnHead } from './heads.ts';
import { decodeMode } from './modes.ts';
import { decodeVectors } from '../columns/vectors.ts';

/** Random numbers a cell is drawn with. */
export interface CellRandom {
  uniform(): number;
  normal(): number;
}

export interface DrawOptions {
  /** Class of a row's cell in the encoder's column; −1: not settled beforehand. */
  settled?: (row: number, column: number) => number;
  /** Elements of lists: their mean (the grey of one that is on or off), or drawn as well. @default 'mean' */
  elements?: 'mean' | 'drawn';
}

/**
 * Cells from distributions: drawn with `random`, or the most probable without. Missing where that is a class and it came up.
 * @returns the learned columns, in the encoder's order
 */
export function tableFromHeads(
  encoder: TableEncoder,
  heads: readonly ColumnHead[],
  { groups, vectors }: DecoderAnswers,
  rows: number,
  random?: CellRandom,
  { settled, elements = 'mean' }: DrawOptions = {},
): Table {
  const columns = new Map<number, ColumnData>();
  for (const { group, probabilities, mean, sigma } of groups) {
    const n = group.columns.length;
    group.columns.forEach((at, i) => {
      const column = encoder.columns[at]!;
      const { missing, classes, modes } = heads[at]!;
      const first = missing ? 1 : 0;
      const category = column.kind === 'category' && !column.numeric;
      const values = category ? new Int32Array(rows) : new Float64Array(rows);
      for (let row = 0; row < rows; row++) {
        const from = (row * n + i) * group.width;
        let chosen = settled?.(row, at) ?? -1;
        if (chosen < 0)
          chosen = random
            ? draw(probabilities, from, classes, random.uniform())
            : argMax(probabilities.subarray(from, from + classes));
        const score = mean && random ? random.normal() : 0;
        const value = chosen - first;
        if (classes === 0 || value < 0) values[row] = category ? -1 : NaN;
        else if (column.kind === 'category') values[row] = category ? value : Number(column.categories[value]);
        else if (column.kind === 'boolean') values[row] = value;
        else if (column.kind === 'number') {
          const spread = sigma ? sigma[i * group.width + chosen]! : 0;
          const number = decodeMode(modes!, value, (mean ? mean[from + chosen]! : 0) + spread * score);
          values[row] = column.type === 'date' ? decodeCell({ ...column, map: IDENTITY }, number, 'deliver') : number;
        }
      }
      columns.set(
        at,
        category
          ? { kind: 'category', codes: values as Int32Array, categories: column.categories }
          : { kind: 'numeric', values: values as Float64Array },
      );
    });
  }
  const lists = vectors.map((answer): [string, VectorData] => [
    encoder.columns[answer.vector.column]!.name,
    vectorFrom(encoder, answer, rows, elements === 'drawn' ? random : undefined),
  ]);
  return {
    rows,
    ...(lists.length > 0 ? { vectors: Object.fromEntries(lists) } : {}),
    columns: Object.fromEntries(
      encoder.columns.flatMap(({ name }, at) => (columns.has(at) ? [[name, columns.get(at)!]] : [])),
    ),
  };
}

/** Elements in the table's units: inside the observed range, whole where only whole ones occurred. */
function vectorFrom(
  encoder: TableEncoder,
  { vector, elements, sigma = 0 }: VectorAnswer,
  rows: number,
  random: CellRandom | undefined,
): VectorData {
  const column = encoder.columns[vector.column]!;
  if (column.kind !== 'vector') throw new Error(`${column.name} is a ${column.kind}, no list of numbers`);
  const { length, min, max, center, scale } = column;
  const x = new Float32Array(rows * length);
  for (let at = 0; at < x.length; at++) {
    const element = elements[at]!;
    if (vector.decoder === 'gaussian') x[at] = element + (random ? sigma * random.normal() : 0);
    else {
      const white = random ? Number(random.uniform() < element) : element;
      x[at] = (min + (max - min) * white - center[at % length]!) / scale;
    }
  }
  return decodeVectors(column, x, { at: 0, width: length, rows, exact: false });
}

const IDENTITY = { kind: 'linear', center: 0, scale: 1 } as const;

function draw(probabilities: Float32Array, from: number, classes: number, u: number): number {
  let total = 0;
  for (let k = 0; k < classes - 1; k++) {
    total += probabilities[from + k]!;
    if (u < total) return k;
  }
  return classes - 1;
}
