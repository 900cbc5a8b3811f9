import type { ParquetEnvelopeWriter } from '@dsnp/parquetjs';
import thrift from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js';
import type { ParquetField } from '@dsnp/parquetjs/dist/lib/declare.js';
import { serializeThrift } from '@dsnp/parquetjs/dist/lib/util.js';
import type { WriteField } from './write-field.ts';

/**
 * Ends a file with a footer that says what the raw values stand for: the library's own cannot tell times with a zone
 * from times without.
 */
export function writeFooter(envelope: ParquetEnvelopeWriter, columns: { field: ParquetField; as: WriteField }[]): void {
  const root = new thrift.SchemaElement({ name: 'schema', num_children: columns.length });
  const metadata = new thrift.FileMetaData({
    version: 1,
    created_by: 'hourglass (@dsnp/parquetjs)',
    num_rows: envelope.rowCount,
    row_groups: envelope.rowGroups,
    schema: [root, ...columns.flatMap(({ field, as }) => elements(field, as))],
  });
  const body = serializeThrift(metadata);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  envelope.writeSection(Buffer.concat([body, length, Buffer.from('PAR1')]));
}

/** A field and those below it, depth first. */
function elements(field: ParquetField, as: WriteField): InstanceType<typeof thrift.SchemaElement>[] {
  const { fields, mark, typeLength, precision, scale } = as;
  const element = new thrift.SchemaElement({
    name: field.name,
    repetition_type: thrift.FieldRepetitionType[field.repetitionType],
    type: fields === undefined ? thrift.Type[field.primitiveType!] : undefined,
    type_length: typeLength,
    num_children: fields?.length,
    converted_type: mark === undefined ? undefined : thrift.ConvertedType[mark],
    precision,
    scale,
    logicalType: logicalType(as),
  });
  return [element, ...(fields ?? []).flatMap(([name, child]) => elements(field.fields![name]!, child))];
}

function logicalType({ time, uuid }: WriteField): InstanceType<typeof thrift.LogicalType> | undefined {
  if (uuid) return new thrift.LogicalType({ UUID: new thrift.UUIDType() });
  if (time === undefined) return undefined;
  const unit = new thrift.TimeUnit(
    time.unit === 'nanos' ? { NANOS: new thrift.NanoSeconds() } : { MICROS: new thrift.MicroSeconds() },
  );
  const isAdjustedToUTC = time.utc;
  return new thrift.LogicalType(
    time.ofDay
      ? { TIME: new thrift.TimeType({ isAdjustedToUTC, unit }) }
      : { TIMESTAMP: new thrift.TimestampType({ isAdjustedToUTC, unit }) },
  );
}
