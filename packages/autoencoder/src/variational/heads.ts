import { HourglassError } from '@hourglass/core';
import type { ColumnEncoder } from '../columns/encoder.ts';
import type { ColumnModes } from './modes.ts';

/** How a column is told: which of its classes, and, where those are intervals, a score within. */
export interface ColumnHead {
  /** Missing has a class of its own, the first, where cells were missing in training. */
  missing: boolean;
  /** Classes in all. */
  classes: number;
  /** Numbers: their modes, one class each. */
  modes?: ColumnModes;
  /** Lists of numbers have no classes: every element is told by itself, given the latent. */
  vector?: VectorHead;
}

/**
 * How the elements of a list of numbers are distributed. bernoulli: each is on or off, with the chance its grey value says;
 * gaussian: normal, one deviation for all elements.
 */
export const DECODERS = ['gaussian', 'bernoulli'] as const;
export type Decoder = (typeof DECODERS)[number];

/** A column of lists of numbers. JSON. */
export interface VectorHead {
  length: number;
  decoder: Decoder;
}

/** All a network needs to know of a head. JSON. */
export interface HeadSpec {
  /** 0 for lists of numbers. */
  classes: number;
  /** First class that is an interval; classes before it have no score. Absent where none is. */
  scoredFrom?: number;
  vector?: VectorHead;
}

/** Heads of one padded width, computed together. */
export interface HeadGroup {
  /** Classes of the widest, rounded up to a power of two. */
  width: number;
  scored: boolean;
  /** Columns, as indices into the encoder's. */
  columns: number[];
}

/**
 * The head of a column; numbers bring their modes, lists of numbers the decoder of their elements.
 * @throws COLUMN_INVALID for lists of numbers that are missing in some rows, or all of whose elements are equal
 */
export function columnHead(column: ColumnEncoder, modes: ColumnModes | undefined, decoder: Decoder): ColumnHead {
  if (column.kind === 'vector') {
    if (column.missing > 0)
      throw new HourglassError(
        'COLUMN_INVALID',
        `column "${column.name}" has no list of numbers in ${(100 * column.missing).toFixed(1)} % of the rows, and lists are drawn whole; leave those rows out (data/sql), or the column: exclude: [${column.name}]`,
        { details: { column: column.name } },
      );
    if (!(column.max > column.min))
      throw new HourglassError(
        'COLUMN_INVALID',
        `column "${column.name}" holds lists of one number, ${column.min}, throughout: there is nothing to learn; leave it out: exclude: [${column.name}]`,
        { details: { column: column.name } },
      );
    return { missing: false, classes: 0, vector: { length: column.length, decoder } };
  }
  const missing = column.missing > 0;
  const values =
    column.kind === 'number' ? modes!.modes.length : column.kind === 'boolean' ? 2 : column.categories.length;
  return { missing, classes: (missing ? 1 : 0) + values, ...(modes ? { modes } : {}) };
}

export function headSpec({ missing, classes, modes, vector }: ColumnHead): HeadSpec {
  if (vector) return { classes, vector };
  const interval = modes ? modes.modes.findIndex(({ map }) => map !== undefined) : -1;
  return { classes, ...(interval >= 0 ? { scoredFrom: interval + (missing ? 1 : 0) } : {}) };
}

/** Heads of like width side by side: a table of many columns costs a few operations, not a few a column. Lists are apart. */
export function groupHeads(heads: readonly HeadSpec[]): HeadGroup[] {
  const groups = new Map<string, HeadGroup>();
  heads.forEach(({ classes, scoredFrom, vector }, column) => {
    if (vector) return;
    const width = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(1, classes))));
    const scored = scoredFrom !== undefined;
    const key = `${width} ${scored}`;
    const group = groups.get(key) ?? { width, scored, columns: [] };
    group.columns.push(column);
    groups.set(key, group);
  });
  return [...groups.values()].sort((a, b) => Number(b.scored) - Number(a.scored) || a.width - b.width);
}
