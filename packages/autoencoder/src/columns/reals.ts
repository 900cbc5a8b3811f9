import type { ColumnData, Table } from '@hourglass/dataset';
import type { ColumnEncoder, NumberEncoder, VectorEncoder } from './encoder.ts';

/** A number column, or one element of a vector column. */
export interface RealColumn {
  encoder: NumberEncoder | VectorEncoder;
  /** Place in its vector; 0 of a number. */
  element: number;
}

/** What a network compares by squared error, in its order: numbers that have values, and the elements of vectors. */
export const realColumns = (columns: readonly ColumnEncoder[]): RealColumn[] =>
  columns.flatMap((encoder): RealColumn[] =>
    encoder.kind === 'vector'
      ? Array.from({ length: encoder.length }, (_, element) => ({ encoder, element }))
      : encoder.kind === 'number' && !encoder.empty
        ? [{ encoder, element: 0 }]
        : [],
  );

/** Those values of a table as `[n, p]` in its own units, NaN where missing. */
export function realMatrix(
  table: Table,
  reals: readonly RealColumn[],
): { rows: number; cols: number; data: Float64Array } {
  const { rows } = table;
  const cols = reals.length;
  const data = new Float64Array(rows * cols);
  reals.forEach(({ encoder: { name }, element }, j) => {
    const { values, length } = valuesOf(table, name);
    for (let i = 0; i < rows; i++) data[i * cols + j] = values[i * length + element]!;
  });
  return { rows, cols, data };
}

/** The table with those values replaced. */
export function withReals(table: Table, reals: readonly RealColumn[], data: Float64Array): Table {
  const { rows } = table;
  const changed: Table = { rows, columns: { ...table.columns }, ...(table.vectors ? { vectors: {} } : {}) };
  reals.forEach(({ encoder, element }, j) => {
    const { name } = encoder;
    const length = encoder.kind === 'vector' ? encoder.length : 1;
    if (element === 0) {
      const values = new Float64Array(rows * length);
      if (encoder.kind === 'vector') changed.vectors![name] = { values, length };
      else changed.columns[name] = { kind: 'numeric', values };
    }
    const { values } = valuesOf(changed, name);
    for (let i = 0; i < rows; i++) values[i * length + element] = data[i * reals.length + j]!;
  });
  return changed;
}

function valuesOf(table: Table, name: string): { values: Float32Array | Float64Array; length: number } {
  const vector = table.vectors?.[name];
  if (vector) return vector;
  const { values } = table.columns[name] as Extract<ColumnData, { kind: 'numeric' }>;
  return { values, length: 1 };
}
