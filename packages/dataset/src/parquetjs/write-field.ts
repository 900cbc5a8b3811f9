import type { OriginalType, PrimitiveType } from '@dsnp/parquetjs/dist/lib/declare.js';
import type {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBUUIDValue,
  DuckDBValue,
} from '@duckdb/node-api';
import { microsOf, splitTypes, structFields } from '../arrow-types.ts';

type Present = NonNullable<DuckDBValue>;

/** How a type lies in a Parquet file, and a value of it. */
export interface WriteField {
  type?: PrimitiveType;
  /** What the footer calls it. */
  mark?: OriginalType;
  /** A time of day, or a point in time; `utc`: an instant, not what a clock somewhere shows. */
  time?: { unit: 'micros' | 'nanos'; utc: boolean; ofDay?: boolean };
  uuid?: boolean;
  typeLength?: number;
  precision?: number;
  scale?: number;
  /** @default true */
  optional?: boolean;
  repeated?: boolean;
  /** In order; not an object, since that would put names that look like numbers first. */
  fields?: [name: string, field: WriteField][];
  to(value: Present): unknown;
}

const same = (value: Present): unknown => value;
const wide = (value: Present): bigint => BigInt.asIntN(64, value as bigint);
const int = (mark?: OriginalType): WriteField => ({ type: 'INT32', mark, to: (value) => Number(value) | 0 });
const text = (mark: OriginalType): WriteField => ({
  type: 'BYTE_ARRAY',
  mark,
  to: (value) => Buffer.from(String(value)),
});
const local: WriteField = { type: 'INT64', time: { unit: 'micros', utc: false }, to: microsOf };

const FLAT: Record<string, WriteField> = {
  BOOLEAN: { type: 'BOOLEAN', to: same },
  TINYINT: int('INT_8'),
  SMALLINT: int('INT_16'),
  INTEGER: int(),
  UTINYINT: int('UINT_8'),
  USMALLINT: int('UINT_16'),
  UINTEGER: int('UINT_32'),
  BIGINT: { type: 'INT64', to: wide },
  UBIGINT: { type: 'INT64', mark: 'UINT_64', to: wide },
  FLOAT: { type: 'FLOAT', to: same },
  DOUBLE: { type: 'DOUBLE', to: same },
  VARCHAR: text('UTF8'),
  JSON: text('JSON'),
  BLOB: { type: 'BYTE_ARRAY', to: (value) => Buffer.from((value as DuckDBBlobValue).bytes) },
  DATE: { type: 'INT32', mark: 'DATE', to: (value) => (value as DuckDBDateValue).days },
  TIME: { ...local, time: { unit: 'micros', utc: false, ofDay: true } },
  TIMESTAMP: local,
  TIMESTAMP_S: local,
  TIMESTAMP_MS: local,
  TIMESTAMP_NS: {
    type: 'INT64',
    time: { unit: 'nanos', utc: false },
    to: (value) => (value as DuckDBTimestampNanosecondsValue).nanos,
  },
  'TIMESTAMP WITH TIME ZONE': { ...local, mark: 'TIMESTAMP_MICROS', time: { unit: 'micros', utc: true } },
  UUID: {
    type: 'FIXED_LEN_BYTE_ARRAY',
    typeLength: 16,
    uuid: true,
    to: (value) => bigEndian((value as DuckDBUUIDValue).toUint128()),
  },
};

/** The field of a physical type; undefined where there is none. */
export function fieldOf(physical: string): WriteField | undefined {
  const list = /^(.*)\[\d*\]$/s.exec(physical);
  if (list) {
    const element = fieldOf(list[1]!);
    return (
      element && {
        mark: 'LIST',
        fields: [['list', { repeated: true, fields: [['element', element]], to: same }]],
        to: (value) => ({ list: (value as DuckDBListValue).items.map((item) => ({ element: cell(item, element) })) }),
      }
    );
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(physical);
  if (decimal) return decimalField(Number(decimal[1]), Number(decimal[2]));
  if (physical.startsWith('STRUCT(')) {
    const fields: [string, WriteField][] = [];
    for (const { name, type } of structFields(physical)) {
      const field = fieldOf(type);
      if (field === undefined) return undefined;
      fields.push([name, field]);
    }
    return {
      fields,
      to: (value) =>
        Object.fromEntries(
          fields.map(([name, field]) => [name, cell((value as DuckDBStructValue).entries[name], field)]),
        ),
    };
  }
  if (physical.startsWith('MAP(')) {
    const [key, value] = splitTypes(physical.slice('MAP('.length, -1)).map(fieldOf);
    if (key === undefined || value === undefined) return undefined;
    return {
      mark: 'MAP',
      fields: [
        [
          'key_value',
          {
            repeated: true,
            fields: [
              ['key', { ...key, optional: false }],
              ['value', value],
            ],
            to: same,
          },
        ],
      ],
      to: (map) => ({
        key_value: (map as DuckDBMapValue).entries.map((entry) => ({
          key: cell(entry.key, key),
          value: cell(entry.value, value),
        })),
      }),
    };
  }
  return FLAT[physical.startsWith('ENUM(') ? 'VARCHAR' : physical];
}

/** A cell that may be missing. */
export const cell = (value: DuckDBValue | undefined, field: WriteField): unknown =>
  value === null || value === undefined ? null : field.to(value);

/** Unscaled, in the smallest place Parquet has for the precision. */
function decimalField(precision: number, scale: number): WriteField {
  const unscaled = (value: Present): bigint => (value as DuckDBDecimalValue).value;
  const shared = { mark: 'DECIMAL', precision, scale } as const;
  if (precision <= 9) return { ...shared, type: 'INT32', to: (value) => Number(unscaled(value)) };
  if (precision <= 18) return { ...shared, type: 'INT64', to: unscaled };
  return {
    ...shared,
    type: 'FIXED_LEN_BYTE_ARRAY',
    typeLength: 16,
    to: (value) => bigEndian(unscaled(value)),
  };
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  const bits = BigInt.asUintN(128, value);
  bytes.writeBigUInt64BE(bits >> 64n, 0);
  bytes.writeBigUInt64BE(bits & 0xffff_ffff_ffff_ffffn, 8);
  return bytes;
}
