import type { ParquetField, SchemaDefinition } from '@dsnp/parquetjs/dist/lib/declare.js';
import type { DuckDBValue } from '@duckdb/node-api';
import { HourglassError } from '@hourglass/core';
import { chunksOf, withConnection } from '../duckdb.ts';
import { ident, parquetScan } from '../sql.ts';
import type { LocalPart } from '../segments.ts';
import type { Column } from '../types.ts';
import { ParquetSchema, ParquetWriter } from './library.ts';
import { fieldOf, type WriteField } from './write-field.ts';

/** Rows held in memory before they are written. */
const ROW_GROUP = 32_768;

/**
 * Writes columns as Parquet in pure JavaScript, gzip-compressed. The library's own conversions round decimals and refuse
 * times before 1970, so it is given raw integers and bytes, and the types are put into the footer.
 *
 * @throws COLUMN_INVALID for types it cannot mark in a file
 */
export async function writeParquetjs(
  columns: Column[],
  parts: LocalPart[],
  path: string,
  where: string,
): Promise<void> {
  const fields = columns.map(({ name, physical }) => {
    const field = fieldOf(physical);
    if (field !== undefined) return { name, ...field };
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: codec parquetjs cannot mark "${name}" (${physical}) in a file. Leave \`codec\` out, or exclude the column.`,
      { details: { column: name, physical } },
    );
  });
  const schema = new ParquetSchema(Object.fromEntries(fields.map(({ name, ...field }) => [name, definition(field)])));
  // Objects put names that look like numbers first; the file has the order of the table.
  schema.fieldList = fields.flatMap(({ name, ...field }) => flat(schema.fields[name]!, field));
  const writer = await ParquetWriter.openFile(schema, path, {
    rowGroupSize: ROW_GROUP,
    useDataPageV2: false,
    pageIndex: false,
  } as never);
  const envelope = writer.envelopeWriter!;
  const writeFooter = envelope.writeFooter.bind(envelope);
  envelope.writeFooter = (metadata) => {
    for (const { name, ...field } of fields) mark(schema.fields[name]!, field);
    return writeFooter(metadata);
  };
  try {
    await withConnection(async (connection) => {
      const select = columns.map(({ name }) => ident(name)).join(', ');
      for await (const chunk of chunksOf(
        await connection.stream(`SELECT ${select} FROM ${parquetScan(parts.map((part) => part.path))}`),
      )) {
        const values = fields.map((_, j) => chunk.getColumnValues(j));
        for (let i = 0; i < chunk.rowCount; i++)
          await writer.appendRow(
            Object.fromEntries(fields.map(({ name, to }, j) => [name, present(values[j]![i], to)])),
          );
      }
    });
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
  await writer.close();
}

const present = (value: DuckDBValue | undefined, to: (value: NonNullable<DuckDBValue>) => unknown): unknown =>
  value === null || value === undefined ? null : to(value);

/** Raw types only; minimum and maximum are left out, since raw integers may sort otherwise than what they stand for. */
function definition(field: WriteField): SchemaDefinition[string] {
  const { optional = true, repeated = false } = field;
  if (field.fields !== undefined)
    return {
      optional: optional && !repeated,
      repeated,
      fields: Object.fromEntries(field.fields.map(([name, child]) => [name, definition(child)])),
    };
  return {
    type: field.type,
    optional,
    compression: 'GZIP',
    statistics: false,
    typeLength: field.typeLength,
    precision: field.precision,
    scale: field.scale,
  };
}

function flat(field: ParquetField, { fields = [] }: WriteField): ParquetField[] {
  return [field, ...fields.flatMap(([name, child]) => flat(field.fields![name]!, child))];
}

function mark(field: ParquetField, { mark: originalType, fields = [] }: WriteField): void {
  field.originalType = originalType;
  for (const [name, child] of fields) mark(field.fields![name]!, child);
}
