import type { Column, ColumnType } from '@hourglass/dataset';
import type { Normaliser } from './normaliser.ts';

interface FittedColumn {
  name: string;
  /** Type in the table the model was trained on: a later table must agree. */
  type: ColumnType;
  /** Rows missing in training, share of all. */
  missing: number;
  /**
   * Weight of one cell's loss. Chosen so that predicting the marginal costs 1 in every column: 1 / variance for numbers,
   * 1 / entropy for categories.
   */
  weight: number;
}

/** Numbers; dates and timestamps too, as milliseconds since 1970, with cyclic features beside them. */
export interface NumberEncoder extends FittedColumn {
  kind: 'number';
  map: Normaliser;
  min: number;
  max: number;
  /** Only whole numbers occurred: delivered values are rounded. */
  integer: boolean;
  /** Dates: cycles fed beside the value as sine and cosine. */
  cycles: Cycle[];
  /** All cells were missing in training: nothing is learned, the column stays missing. */
  empty: boolean;
  /** Training quantiles at 0, .05 … 1, for comparison with later tables. */
  quantiles: number[];
}

export type Cycle = 'day' | 'week' | 'year';

/**
 * A list of numbers of one length: one input block, one cell. Its elements share a unit (pixels, an embedding), so that each
 * has its own mean and all have one scale, whatever the normalisation of the other columns.
 */
export interface VectorEncoder extends FittedColumn {
  kind: 'vector';
  length: number;
  /** Mean of each element, `[length]`. */
  center: Float64Array;
  /** Root of the elements' mean variance. */
  scale: number;
  /** Of all elements. */
  min: number;
  max: number;
  /** Only whole numbers occurred: delivered values are rounded. */
  integer: boolean;
}

export interface BooleanEncoder extends FittedColumn {
  kind: 'boolean';
  /** Share of true among the observed. */
  share: number;
}

/** Codes: 0 missing, 1 unknown, 2… the categories, then hash buckets. */
export interface CategoryEncoder extends FittedColumn {
  kind: 'category';
  categories: string[];
  /** Rows of each category in training. */
  counts: number[];
  /** Rare categories share this many codes by hash; each bucket decodes to its most frequent member. @default 0 */
  buckets: number;
  /** Representative of each bucket, '' where nothing fell into it. */
  representatives: string[];
  /** Categories are numbers: the column is numeric in the table and was named as categorical. */
  numeric: boolean;
}

export type ColumnEncoder = NumberEncoder | VectorEncoder | BooleanEncoder | CategoryEncoder;

/** The fitted state of a table: what is learned from and what only passes through. */
export interface TableEncoder {
  /** Learned columns in the network's order: numbers, vectors, booleans, categories. */
  columns: ColumnEncoder[];
  /** Columns of the training table in its order, learned or not. */
  schema: Column[];
  /** Columns not learned from: ids, labels, text that passes through. */
  ignored: string[];
}

/** Codes below this one are not categories: missing, unknown. */
export const FIRST_CATEGORY = 2;
export const MISSING_CODE = 0;
export const UNKNOWN_CODE = 1;

/** Number of codes of a category column, missing and unknown among them. */
export const codeCount = (encoder: CategoryEncoder): number =>
  FIRST_CATEGORY + encoder.categories.length + encoder.buckets;

/** Number of classes a category column's output tells apart: no output says "missing" or "unknown". */
export const classCount = (encoder: CategoryEncoder): number => encoder.categories.length + encoder.buckets;

/** Where each learned column stands in the network's inputs and outputs. */
export interface TableLayout {
  numbers: number;
  /** Lengths of vector columns; absent where there are none. */
  vectors?: number[];
  booleans: number;
  /** Cyclic features: the column whose they are, and how many. */
  cycles: { column: number; width: number }[];
  /** Category columns: codes in, classes out. */
  categories: { codes: number; classes: number }[];
}

/** Widths of inputs and outputs: all a network needs to know about a table. JSON. */
export function tableLayout(encoder: Pick<TableEncoder, 'columns'>): TableLayout {
  const { columns } = encoder;
  const vectors = columns.flatMap((column) => (column.kind === 'vector' ? [column.length] : []));
  return {
    numbers: columns.filter((column) => column.kind === 'number').length,
    ...(vectors.length > 0 ? { vectors } : {}),
    booleans: columns.filter((column) => column.kind === 'boolean').length,
    cycles: columns.flatMap((column, index) =>
      column.kind === 'number' && column.cycles.length > 0 ? [{ column: index, width: 2 * column.cycles.length }] : [],
    ),
    categories: columns
      .filter((column) => column.kind === 'category')
      .map((column) => ({ codes: codeCount(column), classes: classCount(column) })),
  };
}

/** Learned columns in all, C. */
export const columnCount = (layout: TableLayout): number => valueColumns(layout) + layout.categories.length;

/** Columns whose values stand in x: numbers, vectors, booleans. */
export const valueColumns = ({ numbers, vectors = [], booleans }: TableLayout): number =>
  numbers + vectors.length + booleans;

/** Values that are compared by squared error: numbers and the elements of vectors. */
export const realWidth = ({ numbers, vectors = [] }: TableLayout): number =>
  vectors.reduce((sum, length) => sum + length, numbers);

/** Width of x, p: numbers, elements of vectors, booleans. */
export const valueWidth = (layout: TableLayout): number => realWidth(layout) + layout.booleans;
