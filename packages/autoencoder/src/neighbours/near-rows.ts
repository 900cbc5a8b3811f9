import { setImmediate } from 'node:timers/promises';
import { HourglassError } from '@hourglass/core';
import { drawUniform, type DataArray } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import { takeRows, toData } from '../model/data.ts';
import { rowsOf } from '../training/rows-of.ts';
import { graphOfRows, type Building, type GraphOptions } from './neighbour-graph.ts';

/** Encoded rows, as the engine takes them. */
type Rows = Record<string, DataArray>;

/** Of each of n rows the k nearest of a table. */
export interface NearRows {
  k: number;
  /** Rows of the table, `[n, k]`. */
  indices: Int32Array;
}

const graphFor = (k: number): GraphOptions => ({
  connectivity: 16,
  expansionAdd: 64,
  expansionSearch: Math.max(64, 2 * k),
});

/** Numbers that stand for a category: its classes where there are few, else a code in which any two are about as far apart. */
const CODE_WIDTH = 16;

/**
 * The k nearest rows of each row by what the network is fed with: normalised numbers, elements of vectors, booleans, and 1
 * for each category that differs. Missing numbers count as the mean. Nearly exact (HNSW).
 *
 * @param classes codes that each category column may hold
 * @param others further rows whose nearest in the table are looked for
 * @returns near rows of the table's own rows, none being its own neighbour, and of the others
 * @throws DATA_INSUFFICIENT when the table has too few rows
 */
export async function nearRows(
  table: Rows,
  k: number,
  classes: readonly number[],
  { others, ...building }: Building & { others?: Rows } = {},
): Promise<{ own: NearRows; others?: NearRows }> {
  const rows = rowsOf(table);
  if (k >= rows)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `neighbours: ${k} near rows of each are asked for, there are ${rows - 1} others; ask for fewer`,
      { details: { option: 'neighbours' } },
    );
  const points = comparable(table, classes);
  const graph = await graphOfRows(points.values, points.width, graphFor(k), building);
  const search = async ({ values, width }: Points, own: boolean): Promise<NearRows> => {
    const indices = new Int32Array((values.length / width) * k);
    for (let row = 0; row * k < indices.length; row++) {
      const query = values.subarray(row * width, (row + 1) * width);
      const found = Array.from(graph.search(query, k + 1, 1).keys, Number).filter((other) => !own || other !== row);
      // Among many equal rows a graph may find fewer: those, again; alone, the row is its own neighbour.
      for (let j = 0; j < k; j++) indices[row * k + j] = found[j % found.length] ?? (own ? row : 0);
      if (row % TURN === 0) {
        building.signal?.throwIfAborted();
        await setImmediate();
      }
    }
    return { k, indices };
  };
  return {
    own: await search(points, true),
    ...(others ? { others: await search(comparable(others, classes), false) } : {}),
  };
}

/** Rows looked for between two turns of the event loop. */
const TURN = 200;

/** One of the near rows of each row, drawn anew each epoch: their arrays, under names of their own ({@link nearOf}). */
export function drawNearRows(table: EncodedTable, { k, indices }: NearRows, seed: number, epoch: number): Rows {
  const draws = drawUniform({ seed, domain: 'order', step: epoch, call: 7 }, indices.length / k);
  const chosen = Int32Array.from(draws, (draw, row) => indices[row * k + Math.floor(draw * k)]!);
  return Object.fromEntries(
    Object.entries(toData(takeRows(table, chosen))).map(([name, array]) => [NEAR + name, array]),
  );
}

const NEAR = 'near/';

/** Of a batch, the rows near its rows; undefined when it was drawn without. */
export function nearOf<T>(batch: Record<string, T>): Record<string, T> | undefined {
  const near = Object.entries(batch).filter(([name]) => name.startsWith(NEAR));
  return near.length > 0
    ? Object.fromEntries(near.map(([name, value]) => [name.slice(NEAR.length), value]))
    : undefined;
}

/** `[n, width]` */
interface Points {
  values: Float32Array;
  width: number;
}

/** Rows as points whose squared distances count cells that differ. */
function comparable(table: Rows, classes: readonly number[]): Points {
  const { x, codes } = table;
  const rows = rowsOf(table);
  const numbers = x ? x.values.length / rows : 0;
  if (classes.length === 0) return { values: x!.values as Float32Array, width: numbers };
  const books = classes.map(codeBook);
  const width = numbers + books.reduce((sum, { width }) => sum + width, 0);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    if (x) values.set((x.values as Float32Array).subarray(row * numbers, (row + 1) * numbers), row * width);
    let at = row * width + numbers;
    for (const [j, book] of books.entries()) {
      const code = codes!.values[row * books.length + j]!;
      values.set(book.values.subarray(code * book.width, (code + 1) * book.width), at);
      at += book.width;
    }
  }
  return { values, width };
}

/** A point for each code, any two about 1 apart: corners of a simplex where codes are few, else random corners of a cube. */
function codeBook(codes: number): Points {
  const width = Math.min(codes, CODE_WIDTH);
  const values = new Float32Array(codes * width);
  if (codes <= CODE_WIDTH) for (let code = 0; code < codes; code++) values[code * width + code] = Math.SQRT1_2;
  else {
    const draws = drawUniform({ seed: 0, domain: 'order', step: 0, call: 8 }, values.length);
    // Half of the signs of two corners differ, each by 2 × this.
    const half = 1 / Math.sqrt(2 * width);
    for (const [i, draw] of draws.entries()) values[i] = draw < 0.5 ? -half : half;
  }
  return { values, width };
}
