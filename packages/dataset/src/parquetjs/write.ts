import type { ParquetField, SchemaDefinition } from '@dsnp/parquetjs/dist/lib/declare.js';
import { HourglassError } from '@hourglass/core';
import { chunksOf, withConnection } from '../duckdb.ts';
import { ident, parquetScan } from '../sql.ts';
import type { LocalPart } from '../segments.ts';
import type { Column } from '../types.ts';
import { writeFooter } from './footer.ts';
import { ParquetSchema, ParquetWriter } from './library.ts';
import { cell, fieldOf, type WriteField } from './write-field.ts';

/** Rows held in memory before they are written. */
const ROW_GROUP = 16_384;

/**
 * Writes columns as Parquet in pure JavaScript, gzip-compressed. The library's own conversions round decimals and refuse
 * times before 1970, so it is given raw integers and bytes, and the footer says what they are.
 *
 * @throws COLUMN_INVALID for types that have no exact place
 */
export async function writeParquetjs(
  columns: Column[],
  parts: LocalPart[],
  path: string,
  where: string,
): Promise<void> {
  const fields = columns.map(({ name, physical }) => {
    const as = fieldOf(physical);
    if (as !== undefined) return { name, as };
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: codec parquetjs has no exact place for "${name}" (${physical}). Leave \`codec\` out, or exclude the column.`,
      { details: { column: name, physical } },
    );
  });
  const schema = new ParquetSchema(Object.fromEntries(fields.map(({ name, as }) => [name, definition(as)])));
  // Objects put names that look like numbers first; the file has the order of the table.
  schema.fieldList = fields.flatMap(({ name, as }) => flat(schema.fields[name]!, as));
  const writer = await ParquetWriter.openFile(schema, path, {
    rowGroupSize: ROW_GROUP,
    useDataPageV2: false,
    pageIndex: false,
  } as never);
  const envelope = writer.envelopeWriter!;
  envelope.writeFooter = () =>
    writeFooter(
      envelope,
      fields.map(({ name, as }) => ({ field: schema.fields[name]!, as })),
    );
  try {
    await withConnection(async (connection) => {
      const select = columns.map(({ name }) => ident(name)).join(', ');
      for await (const chunk of chunksOf(
        await connection.stream(`SELECT ${select} FROM ${parquetScan(parts.map((part) => part.path))}`),
      )) {
        const values = fields.map((_, j) => chunk.getColumnValues(j));
        for (let i = 0; i < chunk.rowCount; i++)
          await writer.appendRow(Object.fromEntries(fields.map(({ name, as }, j) => [name, cell(values[j]![i], as)])));
      }
    });
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
  await writer.close();
}

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
