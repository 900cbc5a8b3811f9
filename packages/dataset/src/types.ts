import type { ArtifactRef } from '@hourglass/core';

/**
 * Logical column types. `decimal` and `bigint` beyond double are kept exactly in the dataset and refused by name where
 * numbers are computed; `vector` is a list of numbers of one length (pixels, embeddings); `other` passes through only.
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
  /** The physical type as DuckDB writes it: `DOUBLE`, `INTEGER`, `DECIMAL(18,3)`, `UTINYINT[784]`. */
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

/** A column in memory. Numbers: NaN where missing. Categories: codes into `categories`, −1 where missing. */
export type ColumnData =
  { kind: 'numeric'; values: Float64Array } | { kind: 'category'; codes: Int32Array; categories: string[] };

/** A table in memory, for tables that fit (evaluation, baselines). */
export interface Table {
  rows: number;
  columns: Record<string, ColumnData>;
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

/** Read side of a dataset artifact. */
export interface DatasetReader {
  ref: ArtifactRef;
  columns: Column[];
  rows: number;
  parts: { key: string; rows: number; digest: string }[];
  /** Numeric (and boolean, date) columns as a matrix; fast path by DuckDB chunk vectors. @throws COLUMN_NOT_FOUND, COLUMN_INVALID */
  matrix(
    columns: (string | MatrixColumn)[],
    options?: { part?: string; offset?: number; limit?: number },
  ): Promise<Matrix>;
  /** Columns in memory with their logical values, in row order. */
  table(columns?: string[], options?: { part?: string; offset?: number; limit?: number }): Promise<Table>;
}
