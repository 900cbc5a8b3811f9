import type { DataArray } from '@hourglass/engine';

/** Rows too many for memory, read a block at a time. */
export interface RowSource {
  rows: number;
  /** Rows of every block but the last. */
  blockRows: number;
  /** Bytes of a row in memory. */
  rowBytes: number;
  /** Bytes of rows to hold at once. */
  shardBytes: number;
  /** The rows of some blocks, in the order given, as one. */
  read(blocks: readonly number[]): Promise<Record<string, DataArray>>;
}

export const isRowSource = (data: Record<string, DataArray> | RowSource): data is RowSource =>
  typeof (data as RowSource).read === 'function';
