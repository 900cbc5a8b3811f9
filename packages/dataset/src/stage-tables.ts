import { HourglassError } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { ident, literal } from './sql.ts';
import { openStaging, type Staging } from './staging.ts';
import type { Column, ColumnData, Table } from './types.ts';
import { fromDouble } from './values.ts';

export type WriteColumn = Pick<Column, 'name' | 'physical'> & Partial<Column>;

/** Tables as one relation with the columns in their physical types. */
export async function stageTables(
  connection: Connection,
  columns: (WriteColumn & { type: Column['type'] })[],
  tables: Iterable<Table> | AsyncIterable<Table>,
  tempPath: () => Promise<string>,
): Promise<{ relation: string; rows: number; files: string[] }> {
  let kinds: ColumnData['kind'][] | undefined;
  let staging: Staging | undefined;
  const open = (): Promise<Staging> =>
    openStaging(
      connection,
      'stage',
      kinds!.map((kind, j) => ({ name: `c${j}`, physical: kind === 'numeric' ? 'DOUBLE' : 'VARCHAR' })),
      tempPath,
    );
  for await (const table of tables) {
    const data = columns.map((column) => columnOf(table, column.name));
    kinds ??= data.map(({ kind }) => kind);
    data.forEach(({ kind }, j) => {
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
        if (column.kind === 'numeric')
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

function columnOf(table: Table, name: string): ColumnData {
  const data = table.columns[name];
  const length = data === undefined ? undefined : data.kind === 'numeric' ? data.values.length : data.codes.length;
  if (data !== undefined && length === table.rows) return data;
  throw new HourglassError(
    'CALL_INVALID',
    data === undefined
      ? `Writing a dataset: column "${name}" is not in the table (it has ${Object.keys(table.columns).slice(0, 10).map(literal).join(', ')}).`
      : `Writing a dataset: column "${name}" has ${length} values, expected ${table.rows}.`,
  );
}
