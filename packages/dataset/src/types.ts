import type { ArtifactRef } from '@hourglass/core';
import type { Table as ArrowTable } from 'apache-arrow';

/**
 * Logical column types. Integers and decimals whose values all fit a double exactly are `integer` and `float`; beyond
 * that they are `bigint` and `decimal`: kept exactly in the dataset, refused by name where numbers are computed.
 * `vector` is a list of numbers of one length (pixels, embeddings); `other` passes through only.
 */
export type ColumnType =
  | 'float'
  | 'integer'
  | 'bigint'
  | 'decimal'
  | 'boolean'
  | 'string'
  | 'date'
  | 'timestamp'
  | 'time'
  | 'vector'
  | 'other';

export interface Column {
  name: string;
  type: ColumnType;
  /** The physical type as DuckDB writes it: `DOUBLE`, `INTEGER`, `DECIMAL(18,3)`, `UTINYINT[]`. */
  physical: string;
  /** Vectors: their length. */
  length?: number;
}

/** Datasets are artifacts whose parts are Parquet blobs (zstd, fixed settings) with equal columns. */
export interface DatasetMeta {
  columns: Column[];
  /** Columns whose values the part keys are, when partitioned. */
  partitionBy?: string[];
  [key: string]: unknown;
}

/**
 * A column in memory. Numbers: NaN where missing; booleans are 0/1, dates, times and timestamps milliseconds since
 * 1970 UTC. Categories: codes into `categories`, −1 where missing.
 */
export type ColumnData =
  { kind: 'numeric'; values: Float64Array } | { kind: 'category'; codes: Int32Array; categories: string[] };

/**
 * A vector column in memory, `[rows, length]` row-major, in single precision where that holds every value of its type; NaN
 * throughout where missing.
 */
export interface VectorData {
  values: Float32Array | Float64Array;
  length: number;
}

/** A table in memory. */
export interface Table {
  rows: number;
  /** Columns of one value a row. */
  columns: Record<string, ColumnData>;
  /** Vector columns; absent where there are none. */
  vectors?: Record<string, VectorData>;
}

/** A window of a dataset in row order. */
export interface TableChunk extends Table {
  /** Key of the part. */
  part: string;
  /** First row, counted within the part. */
  offset: number;
}

/** How one numeric column enters a matrix: `(x − center) / scale`, computed in double, then cast to float. */
export interface MatrixColumn {
  name: string;
  /** @default 0 */
  center?: number;
  /** @default 1 */
  scale?: number;
}

/** Row-major float matrix `[rows, cols]`, NaN where missing. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float32Array;
}

/** Which rows to read: of one part or of all in order. */
export interface RowRange {
  part?: string;
  /** @default 0 */
  offset?: number;
  /** @default all */
  limit?: number;
}

/** Read side of a dataset artifact. */
export interface DatasetReader {
  ref: ArtifactRef;
  columns: Column[];
  rows: number;
  parts: { key: string; rows: number; digest: string }[];
  partitionBy?: string[];
  /**
   * Numeric columns (booleans 0/1, points in time in milliseconds, vectors spread over their length) as a matrix.
   *
   * @throws COLUMN_NOT_FOUND, COLUMN_INVALID (text, decimals beyond double, a value outside the range of float)
   */
  matrix(columns: (string | MatrixColumn)[], range?: RowRange): Promise<Matrix>;
  /**
   * Columns in memory with their logical values, in row order; categories are sorted.
   *
   * @param columns default: every column of one value a row (no nested or binary columns, no vectors)
   */
  table(columns?: string[], range?: RowRange): Promise<Table>;
  /** The same in windows that never cross parts. Categories are those of the window. @param options.rows default 65 536 */
  chunks(columns?: string[], options?: { rows?: number; part?: string }): AsyncIterable<TableChunk>;
  /** As an Apache Arrow table, values exactly as stored. */
  arrow(columns?: string[], range?: RowRange): Promise<ArrowTable>;
}
