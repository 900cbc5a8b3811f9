import { drawUniform, permutation, type DataArray } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import { floats, takeRows, toData } from '../model/data.ts';
import type { RowSource } from '../training/row-source.ts';

/** Data to train on and to validate with; without validation when too little would be left. */
export interface Split {
  /** Rows to train on. Where those are in blocks (`rows`): the rows that hold validation cells, or a sample. */
  train: EncodedTable;
  validation?: Record<string, DataArray>;
  /** Rows to train on when they are too many for memory. */
  rows?: RowSource;
  /** Rows that computed parameters rest on. @default train */
  prior?: EncodedTable;
}

/** Validation by fewer rows or cells than this would be noise. */
export const FEWEST = 10;

/** Puts whole rows aside. */
export function splitRows(encoded: EncodedTable, fraction: number, seed: number): Split {
  const held = Math.floor(encoded.rows * fraction);
  if (held < FEWEST) return { train: encoded };
  const order = permutation(encoded.rows, seed, 0);
  return {
    train: takeRows(encoded, order.slice(held).sort()),
    validation: toData(takeRows(encoded, order.slice(0, held).sort())),
  };
}

/**
 * Puts single observed cells aside: every row trains, without them, and the validation asks for them alone. Better than
 * rows for small tables, and for filling cells it is the question that will be asked.
 */
export function splitCells(encoded: EncodedTable, fraction: number, seed: number): Split {
  const draws = drawUniform({ seed, domain: 'order', step: 0, call: 1 }, encoded.w.length);
  const train = encoded.w.slice();
  const held = new Float32Array(encoded.w.length);
  let count = 0;
  for (let i = 0; i < held.length; i++)
    if (train[i]! > 0 && draws[i]! < fraction) {
      held[i] = train[i]!;
      train[i] = 0;
      count++;
    }
  if (count < FEWEST) return { train: encoded };
  const hidden = { ...encoded, w: train };
  return { train: hidden, validation: { ...toData(hidden), held: floats(encoded.rows, held) } };
}
