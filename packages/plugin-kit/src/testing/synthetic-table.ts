import type { ColumnData, Table } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';

export interface SyntheticTableOptions {
  /** @default 120 */
  rows?: number;
  /** Numeric columns `x_0 …`, noisy mixtures of two hidden factors, so that each can be learned from the others. @default 4 */
  numeric?: number;
  /** Category columns `c_0 …` of three values that follow the first factor. @default 0 */
  categories?: number;
  /** Share of cells that are missing. @default 0 */
  missing?: number;
  /** @default 1 */
  seed?: number;
}

/** A table whose columns depend on each other: the same seed gives the same cells. */
export function syntheticTable(options: SyntheticTableOptions = {}): Table {
  const { rows = 120, numeric = 4, categories = 0, missing = 0, seed = 1 } = options;
  const random = hostRandom(seed, 0);
  const factors = Array.from({ length: 2 }, () => Float64Array.from({ length: rows }, () => random.normal()));
  const columns: Record<string, ColumnData> = {};
  const hidden = () => missing > 0 && random.uniform() < missing;
  for (let j = 0; j < numeric; j++) {
    const weights = [1 + (j % 3), (j % 2) - 0.5];
    columns[`x_${j}`] = {
      kind: 'numeric',
      values: Float64Array.from({ length: rows }, (_, i) => {
        const value = weights[0]! * factors[0]![i]! + weights[1]! * factors[1]![i]! + 0.1 * random.normal();
        return hidden() ? NaN : 10 * j + value;
      }),
    };
  }
  for (let j = 0; j < categories; j++)
    columns[`c_${j}`] = {
      kind: 'category',
      categories: ['low', 'middle', 'high'],
      codes: Int32Array.from({ length: rows }, (_, i) => {
        const factor = factors[0]![i]!;
        return hidden() ? -1 : factor < -0.5 ? 0 : factor < 0.5 ? 1 : 2;
      }),
    };
  return { rows, columns };
}

/** The same table with other columns, for edge cases: `undefined` leaves a column out. */
export function withColumns(table: Table, change: Record<string, ColumnData | undefined>): Table {
  const entries = Object.entries({ ...table.columns, ...change }).filter(([, data]) => data !== undefined);
  return { rows: table.rows, columns: Object.fromEntries(entries) as Record<string, ColumnData> };
}

/** Rows `from` (inclusive) to `to` (exclusive). */
export function sliceRows(table: Table, from: number, to: number): Table {
  const columns = Object.entries(table.columns).map(([name, data]): [string, ColumnData] => [
    name,
    data.kind === 'numeric'
      ? { kind: 'numeric', values: data.values.slice(from, to) }
      : { ...data, codes: data.codes.slice(from, to) },
  ]);
  return { rows: Math.max(0, to - from), columns: Object.fromEntries(columns) };
}

export const constantColumn = (rows: number, value: number): ColumnData => ({
  kind: 'numeric',
  values: new Float64Array(rows).fill(value),
});
