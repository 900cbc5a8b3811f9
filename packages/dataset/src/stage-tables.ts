import type { DuckDBArrayVector } from '@duckdb/node-api';
import { HourglassError } from '@hourglass/core';
import { typeOf } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { ident, literal } from './sql.ts';
import { openStaging, type Staging } from './staging.ts';
import type { Column, ColumnData, Table, VectorData } from './types.ts';
import { fromDouble } from './values.ts';

export type WriteColumn = Pick<Column, 'name' | 'physical'> & Partial<Column>;

/** Tables as one relation with the columns in their physical types. */
export async function stageTables(
  connection: Connection,
  given: WriteColumn[],
  tables: Iterable<Table> | AsyncIterable<Table>,
  tempPath: () => Promise<string>,
  name = 'stage',
): Promise<{ relation: string; rows: number; files: string[] }> {
  const columns = given.map((column) => ({ ...column, type: column.type ?? typeOf(column.physical) }));
  let kinds: string[] | undefined;
  let staging: Staging | undefined;
  const open = (): Promise<Staging> =>
    openStaging(
      connection,
      name,
      kinds!.map((kind, j) => ({ name: `c${j}`, physical: STAGED[kind] ?? kind })),
      tempPath,
    );
  for await (const table of tables) {
    const data = columns.map((column) => columnOf(table, column.name));
    kinds ??= data.map(kindOf);
    data.forEach((column, j) => {
      const kind = kindOf(column);
      if (kind !== kinds![j])
        throw new HourglassError(
          'CALL_INVALID',
          `Column "${columns[j]!.name}": expected ${kinds![j]} data as in the tables before, found ${kind}.`,
        );
    });
    staging ??= await open();
    await staging.append(table.rows, (chunk, from, n) => {
      data.forEach((column, j) => {
        const vector = chunk.getColumnVector(j);
        if (!('kind' in column)) stageVectors(vector as DuckDBArrayVector, column, from, n);
        else if (column.kind === 'numeric')
          (vector as unknown as { items: Float64Array }).items.set(column.values.subarray(from, from + n));
        else
          for (let i = 0; i < n; i++) {
            const code = column.codes[from + i]!;
            vector.setItem(i, (code < 0 ? null : column.categories[code]!) as never);
          }
      });
    });
  }
  kinds ??= columns.map(() => 'numeric');
  staging ??= await open();
  const { relation, rows, files } = await staging.finish();
  const cast = columns.map((column, j) => {
    const c = `c${j}`;
    const value =
      kinds[j] === 'numeric'
        ? `CASE WHEN isnan(${c}) THEN NULL ELSE ${fromDouble(column, c)} END`
        : `CAST(${c} AS ${column.physical})`;
    return `${value} AS ${ident(column.name)}`;
  });
  return { relation: `(SELECT ${cast.join(', ')} FROM ${relation})`, rows, files };
}

const STAGED: Record<string, string> = { numeric: 'DOUBLE', category: 'VARCHAR' };

/** What the tables of one dataset must agree in: the kind, of vectors the type of array they are staged in. */
const kindOf = (data: ColumnData | VectorData): string =>
  'kind' in data ? data.kind : `${data.values instanceof Float32Array ? 'FLOAT' : 'DOUBLE'}[${data.length}]`;

function stageVectors(vector: DuckDBArrayVector, { values, length }: VectorData, from: number, n: number): void {
  // Typed array and validity are not part of the package's types.
  const { childData, validity } = vector as unknown as {
    childData: { items: Float32Array | Float64Array };
    validity: { setItemValid(row: number, valid: boolean): void };
  };
  childData.items.set(values.subarray(from * length, (from + n) * length));
  for (let i = 0; i < n; i++) if (Number.isNaN(values[(from + i) * length])) validity.setItemValid(i, false);
}

const lengthOf = (data: ColumnData | VectorData): number =>
  !('kind' in data)
    ? data.values.length / data.length
    : data.kind === 'numeric'
      ? data.values.length
      : data.codes.length;

function columnOf(table: Table, name: string): ColumnData | VectorData {
  const data = table.columns[name] ?? table.vectors?.[name];
  const length = data && lengthOf(data);
  if (data !== undefined && length === table.rows) return data;
  throw new HourglassError(
    'CALL_INVALID',
    data === undefined
      ? `Writing a dataset: column "${name}" is not in the table (it has ${Object.keys(table.columns).slice(0, 10).map(literal).join(', ')}).`
      : `Writing a dataset: column "${name}" has ${length} values, expected ${table.rows}.`,
  );
}
