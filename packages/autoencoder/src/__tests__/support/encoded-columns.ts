import type { EncodedTable } from '../../columns/encode.ts';

/** Columns of numbers as an encoded table, seen where `seen` is 1. @param seen @default everywhere */
export const encodedColumns = (columns: number[][], seen?: number[][]): EncodedTable => {
  const rows = columns[0]!.length;
  const cells = (of: number[][]): Float32Array =>
    Float32Array.from({ length: rows * of.length }, (_, i) => of[i % of.length]![Math.floor(i / of.length)]!);
  const ones = columns.map((column) => column.map(() => 1));
  return {
    rows,
    x: cells(columns),
    w: cells(seen ?? ones),
    codes: new Int32Array(),
    cycles: new Float32Array(),
    unknown: {},
  };
};
