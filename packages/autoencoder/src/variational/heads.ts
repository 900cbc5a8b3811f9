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
}

/** All a network needs to know of a head. JSON. */
export interface HeadSpec {
  classes: number;
  /** First class that is an interval; classes before it have no score. Absent where none is. */
  scoredFrom?: number;
}

/** Heads of one padded width, computed together. */
export interface HeadGroup {
  /** Classes of the widest, rounded up to a power of two. */
  width: number;
  scored: boolean;
  /** Columns, as indices into the encoder's. */
  columns: number[];
}

/** The head of a column; numbers bring their modes. @throws COLUMN_INVALID for lists of numbers: they have no classes */
export function columnHead(column: ColumnEncoder, modes: ColumnModes | undefined): ColumnHead {
  if (column.kind === 'vector')
    throw new HourglassError(
      'COLUMN_INVALID',
      `column "${column.name}" holds lists of ${column.length} numbers, which cannot be drawn. Exclude it, or spread it over columns with data/sql.`,
    );
  const missing = column.missing > 0;
  const values =
    column.kind === 'number' ? modes!.modes.length : column.kind === 'boolean' ? 2 : column.categories.length;
  return { missing, classes: (missing ? 1 : 0) + values, ...(modes ? { modes } : {}) };
}

export function headSpec({ missing, classes, modes }: ColumnHead): HeadSpec {
  const interval = modes ? modes.modes.findIndex(({ map }) => map !== undefined) : -1;
  return { classes, ...(interval >= 0 ? { scoredFrom: interval + (missing ? 1 : 0) } : {}) };
}

/** Heads of like width side by side: a table of many columns costs a few operations, not a few a column. */
export function groupHeads(heads: readonly HeadSpec[]): HeadGroup[] {
  const groups = new Map<string, HeadGroup>();
  heads.forEach(({ classes, scoredFrom }, column) => {
    const width = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(1, classes))));
    const scored = scoredFrom !== undefined;
    const key = `${width} ${scored}`;
    const group = groups.get(key) ?? { width, scored, columns: [] };
    group.columns.push(column);
    groups.set(key, group);
  });
  return [...groups.values()].sort((a, b) => Number(b.scored) - Number(a.scored) || a.width - b.width);
}
