import type { DuckDBDateValue, DuckDBDecimalValue, DuckDBMapValue } from '@duckdb/node-api';
import { DuckDBTimestampNanosecondsValue, type DuckDBValue } from '@duckdb/node-api';
import { HourglassError } from '@hourglass/core';
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Type,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  makeData,
  type Data,
  type DataType,
} from 'apache-arrow';
import type { Column } from './types.ts';

const FLAT: Record<string, () => DataType> = {
  FLOAT: () => new Float32(),
  DOUBLE: () => new Float64(),
  TINYINT: () => new Int8(),
  SMALLINT: () => new Int16(),
  INTEGER: () => new Int32(),
  BIGINT: () => new Int64(),
  UTINYINT: () => new Uint8(),
  USMALLINT: () => new Uint16(),
  UINTEGER: () => new Uint32(),
  UBIGINT: () => new Uint64(),
  BOOLEAN: () => new Bool(),
  VARCHAR: () => new Utf8(),
  JSON: () => new Utf8(),
  UUID: () => new Utf8(),
  BLOB: () => new Binary(),
  DATE: () => new DateDay(),
  TIME: () => new TimeMicrosecond(),
  TIMESTAMP: () => new TimestampMicrosecond(),
  TIMESTAMP_S: () => new TimestampMicrosecond(),
  TIMESTAMP_MS: () => new TimestampMicrosecond(),
  TIMESTAMP_NS: () => new TimestampNanosecond(),
  'TIMESTAMP WITH TIME ZONE': () => new TimestampMicrosecond('UTC'),
};

/** The Arrow field of a column. @throws COLUMN_INVALID for types Arrow tables of this kind cannot carry */
export function arrowField({ name, physical }: Pick<Column, 'name' | 'physical'>): Field {
  return new Field(name, arrowType(physical, name), true);
}

function arrowType(physical: string, column: string): DataType {
  const list = /^(.*)\[\d*\]$/s.exec(physical);
  if (list) return new List(new Field('item', arrowType(list[1]!, column), true));
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(physical);
  if (decimal) return new Decimal(Number(decimal[2]), Number(decimal[1]), 128);
  if (physical.startsWith('MAP(')) {
    const [key, value] = splitTypes(physical.slice('MAP('.length, -1)).map((type) => arrowType(type, column));
    const entry = new Struct([new Field('key', key!, false), new Field('value', value!, true)]);
    return new Map_(new Field('entries', entry, false) as never);
  }
  if (physical.startsWith('STRUCT('))
    return new Struct(structFields(physical).map(({ name, type }) => new Field(name, arrowType(type, column), true)));
  const flat = FLAT[physical.startsWith('ENUM(') ? 'VARCHAR' : physical];
  if (flat !== undefined) return flat();
  throw new HourglassError(
    'COLUMN_INVALID',
    `Column "${column}": ${physical} has no exact Arrow form here. Leave the column out, convert it, or use Parquet.`,
    { details: { column, physical } },
  );
}

/** `STRUCT(a INTEGER, "b c" VARCHAR[])` as its fields. */
export function structFields(physical: string): { name: string; type: string }[] {
  return splitTypes(physical.slice('STRUCT('.length, -1)).flatMap((entry) => {
    const match = /^(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(entry);
    return match ? [{ name: match[1]?.replaceAll('""', '"') ?? match[2]!, type: match[3]! }] : [];
  });
}

/** `INTEGER, DECIMAL(3,1)[]` cut at the commas that separate types. */
export function splitTypes(list: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i <= list.length; i++) {
    const char = list[i];
    if (char === '"') quoted = !quoted;
    if (!quoted && char === '(') depth++;
    if (!quoted && char === ')') depth--;
    if (i < list.length && (char !== ',' || depth > 0 || quoted)) continue;
    entries.push(list.slice(start, i).trim());
    start = i + 1;
  }
  return entries;
}

const isNull = (value: DuckDBValue | undefined): value is null | undefined => value === null || value === undefined;

type FixedArray = { [index: number]: number | bigint };

/** Values of DuckDB as Arrow data of the type, nothing rounded. */
export function arrowData(type: DataType, values: readonly DuckDBValue[], column: Pick<Column, 'name'>): Data {
  const length = values.length;
  const nullBitmap = new Uint8Array(Math.ceil(length / 64) * 8);
  let nullCount = 0;
  for (let i = 0; i < length; i++)
    if (isNull(values[i])) nullCount++;
    else nullBitmap[i >> 3]! |= 1 << (i & 7);
  const common = { length, nullCount, nullBitmap: nullCount > 0 ? nullBitmap : undefined };
  const fixed = <A extends FixedArray>(data: A, of: (value: NonNullable<DuckDBValue>) => number | bigint): Data => {
    for (let i = 0; i < length; i++) if (!isNull(values[i])) data[i] = of(values[i]!);
    return makeData({ type, data, ...common } as never);
  };
  const bytes = (of: (value: NonNullable<DuckDBValue>) => Uint8Array): Data => {
    const pieces = values.map((value) => (isNull(value) ? new Uint8Array() : of(value)));
    const valueOffsets = new Int32Array(length + 1);
    pieces.forEach((piece, i) => (valueOffsets[i + 1] = valueOffsets[i]! + piece.length));
    const data = new Uint8Array(valueOffsets[length]!);
    pieces.forEach((piece, i) => data.set(piece, valueOffsets[i]!));
    return makeData({ type, data, valueOffsets, ...common } as never);
  };
  switch (type.typeId) {
    case Type.Float:
      return fixed((type as Float64).precision === 2 ? new Float64Array(length) : new Float32Array(length), Number);
    case Type.Int: {
      const { bitWidth, isSigned } = type as DataType & { bitWidth: number; isSigned: boolean };
      const Wide = isSigned ? BigInt64Array : BigUint64Array;
      const Array =
        bitWidth === 8 ? (isSigned ? Int8Array : Uint8Array)
        : bitWidth === 16 ? (isSigned ? Int16Array : Uint16Array)
        : isSigned ? Int32Array : Uint32Array; // prettier-ignore
      return bitWidth === 64 ? fixed(new Wide(length), (v) => v as bigint) : fixed(new Array(length), Number);
    }
    case Type.Bool: {
      const data = new Uint8Array(Math.ceil(length / 64) * 8);
      for (let i = 0; i < length; i++) if (values[i] === true) data[i >> 3]! |= 1 << (i & 7);
      return makeData({ type, data, ...common } as never);
    }
    case Type.Date:
      return fixed(new Int32Array(length), (v) => (v as DuckDBDateValue).days);
    case Type.Time:
      return fixed(new BigInt64Array(length), (v) => (v as { micros: bigint }).micros);
    case Type.Timestamp:
      return fixed(new BigInt64Array(length), (v) =>
        v instanceof DuckDBTimestampNanosecondsValue ? v.nanos : microsOf(v),
      );
    case Type.Decimal: {
      const data = new Uint32Array(length * 4);
      values.forEach((value, i) => {
        let rest = BigInt.asUintN(128, isNull(value) ? 0n : (value as DuckDBDecimalValue).value);
        for (let word = 0; word < 4; word++, rest >>= 32n) data[i * 4 + word] = Number(rest & 0xffffffffn);
      });
      return makeData({ type, data, ...common } as never);
    }
    case Type.Utf8: {
      const encoder = new TextEncoder();
      return bytes((v) => encoder.encode(String(v)));
    }
    case Type.Binary:
      return bytes((v) => (v as { bytes: Uint8Array }).bytes);
    case Type.List: {
      const valueOffsets = new Int32Array(length + 1);
      const items: DuckDBValue[] = [];
      values.forEach((value, i) => {
        if (!isNull(value)) for (const item of (value as { items: readonly DuckDBValue[] }).items) items.push(item);
        valueOffsets[i + 1] = items.length;
      });
      const child = arrowData((type as List).children[0]!.type, items, column);
      return makeData({ type, valueOffsets, child, ...common } as never);
    }
    case Type.Map: {
      const valueOffsets = new Int32Array(length + 1);
      const entries: { key: DuckDBValue; value: DuckDBValue }[] = [];
      values.forEach((value, i) => {
        if (!isNull(value)) for (const entry of (value as DuckDBMapValue).entries) entries.push(entry);
        valueOffsets[i + 1] = entries.length;
      });
      const entry = (type as Map_).children[0]!.type as unknown as Struct;
      const [keys, items] = entry.children.map((field) =>
        arrowData(
          field.type,
          entries.map((each) => each[field.name as 'key' | 'value']),
          column,
        ),
      );
      const child = makeData({ type: entry, length: entries.length, nullCount: 0, children: [keys!, items!] });
      return makeData({ type, valueOffsets, child, ...common } as never);
    }
    case Type.Struct: {
      const children = (type as Struct).children.map((field) =>
        arrowData(
          field.type,
          values.map((value) =>
            isNull(value) ? null : ((value as { entries: Record<string, DuckDBValue> }).entries[field.name] ?? null),
          ),
          column,
        ),
      );
      return makeData({ type, children, ...common } as never);
    }
    default:
      throw new HourglassError(
        'COLUMN_INVALID',
        `Column "${column.name}": ${String(type)} cannot be written to Arrow.`,
      );
  }
}

/** Microseconds of a point in time, whatever its unit. */
export function microsOf(value: NonNullable<DuckDBValue>): bigint {
  const point = value as { micros?: bigint; milliseconds?: bigint; seconds?: bigint };
  return point.micros ?? (point.milliseconds !== undefined ? point.milliseconds * 1000n : point.seconds! * 1_000_000n);
}
