import {
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  listValue,
  mapValue,
  structValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { HourglassError } from '@hourglass/core';
import { Type, type Data, type DataType, type Field, type Timestamp } from 'apache-arrow';
import { ident } from './sql.ts';

/** Micros of a second, a millisecond, a microsecond; nanoseconds are thousandths. */
const MICROS = [1_000_000n, 1000n, 1n];

interface Facts {
  bitWidth: number;
  isSigned: boolean;
  precision: number;
  scale: number;
  unit: number;
  timezone?: string | null;
  listSize: number;
  children: Field[];
  dictionary: DataType;
}

/** The SQL type that holds an Arrow type exactly. @throws COLUMN_INVALID by name where there is none */
export function physicalOf(type: DataType, column: string): string {
  const facts = type as unknown as Facts;
  switch (type.typeId) {
    case Type.Null:
      return 'INTEGER';
    case Type.Int:
      return `${facts.isSigned ? '' : 'U'}${{ 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' }[facts.bitWidth]}`;
    case Type.Float:
      return facts.precision === 2 ? 'DOUBLE' : 'FLOAT';
    case Type.Bool:
      return 'BOOLEAN';
    case Type.Utf8:
    case Type.LargeUtf8:
      return 'VARCHAR';
    case Type.Binary:
    case Type.LargeBinary:
    case Type.FixedSizeBinary:
      return 'BLOB';
    case Type.Decimal:
      if (facts.bitWidth <= 128 && facts.precision <= 38 && facts.scale >= 0)
        return `DECIMAL(${facts.precision},${facts.scale})`;
      break;
    case Type.Date:
      return 'DATE';
    case Type.Time:
      return 'TIME';
    case Type.Timestamp:
      if (facts.timezone) return 'TIMESTAMP WITH TIME ZONE';
      return facts.unit === 3 ? 'TIMESTAMP_NS' : 'TIMESTAMP';
    case Type.Dictionary:
      return physicalOf(facts.dictionary, column);
    case Type.List:
    case Type.FixedSizeList:
      return `${physicalOf(facts.children[0]!.type, column)}[]`;
    case Type.Struct:
      return `STRUCT(${facts.children.map((field) => `${ident(field.name)} ${physicalOf(field.type, column)}`).join(', ')})`;
    case Type.Map: {
      const [key, value] = facts.children[0]!.type.children as Field[];
      return `MAP(${physicalOf(key!.type, column)}, ${physicalOf(value!.type, column)})`;
    }
  }
  throw new HourglassError(
    'COLUMN_INVALID',
    `Column "${column}": the Arrow type ${String(type)} cannot be kept exactly. Convert the column or leave it out when writing the file.`,
    { details: { column, type: String(type) } },
  );
}

/** Arrow types whose typed arrays are laid out as DuckDB's. */
export const isPlain = (type: DataType): boolean =>
  type.typeId === Type.Int || (type.typeId === Type.Float && (type as unknown as Facts).precision > 0);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** One cell, nothing rounded. */
export function duckValue(data: Data, i: number, column: string): DuckDBValue {
  const type = data.type as DataType;
  const facts = type as unknown as Facts;
  if (type.typeId === Type.Null || !data.getValid(i)) return null;
  const values = data.values as { [index: number]: number | bigint } & Uint8Array;
  switch (type.typeId) {
    case Type.Int:
      return values[i]!;
    case Type.Float:
      return facts.precision === 0 ? half(Number(values[i])) : values[i]!;
    case Type.Bool:
      return ((values[(data.offset + i) >> 3]! >> ((data.offset + i) & 7)) & 1) === 1;
    case Type.Utf8:
    case Type.LargeUtf8:
      return decoder.decode(slice(data, i));
    case Type.Binary:
    case Type.LargeBinary:
      return blobValue(slice(data, i));
    case Type.FixedSizeBinary: {
      const { byteWidth } = type as unknown as { byteWidth: number };
      return blobValue(values.slice(i * byteWidth, (i + 1) * byteWidth));
    }
    case Type.Decimal:
      return decimal(data.values as Uint32Array, i, facts);
    case Type.Date:
      return new DuckDBDateValue(
        facts.unit === 0 ? Number(values[i]) : Math.floor(Number(wide(data.values, i)) / 86_400_000),
      );
    case Type.Time:
      return new DuckDBTimeValue(
        micros(facts.unit < 2 ? BigInt(values[i]!) : wide(data.values, i), facts.unit, column),
      );
    case Type.Timestamp: {
      const value = wide(data.values, i);
      if ((type as Timestamp).timezone) return new DuckDBTimestampTZValue(micros(value, facts.unit, column));
      return facts.unit === 3
        ? new DuckDBTimestampNanosecondsValue(value)
        : new DuckDBTimestampValue(micros(value, facts.unit, column));
    }
    case Type.Dictionary: {
      let k = Number(values[i]);
      for (const piece of data.dictionary!.data) {
        if (k < piece.length) return duckValue(piece, k, column);
        k -= piece.length;
      }
      throw new Error(`dictionary index ${String(values[i])} is out of range`);
    }
    case Type.List:
      return listValue(items(data, data.valueOffsets[i]!, data.valueOffsets[i + 1]!, column));
    case Type.FixedSizeList:
      return listValue(items(data, i * facts.listSize, (i + 1) * facts.listSize, column));
    case Type.Struct:
      return structValue(
        Object.fromEntries(facts.children.map((field, j) => [field.name, duckValue(data.children[j]!, i, column)])),
      );
    case Type.Map: {
      const [keys, mapped] = data.children[0]!.children;
      const entries: { key: DuckDBValue; value: DuckDBValue }[] = [];
      for (let k = data.valueOffsets[i]!; k < data.valueOffsets[i + 1]!; k++)
        entries.push({ key: duckValue(keys!, k, column), value: duckValue(mapped!, k, column) });
      return mapValue(entries);
    }
  }
  throw new Error(`no value for ${String(type)}`);
}

function items(data: Data, from: number, to: number, column: string): DuckDBValue[] {
  const child = data.children[0]!;
  return Array.from({ length: to - from }, (_, k) => duckValue(child, from + k, column));
}

function slice(data: Data, i: number): Uint8Array {
  const offsets = data.valueOffsets as unknown as { [index: number]: number | bigint };
  return (data.values as Uint8Array).subarray(Number(offsets[i]), Number(offsets[i + 1]));
}

/** 64-bit values, however the array shows them. */
function wide(values: unknown, i: number): bigint {
  if (values instanceof BigInt64Array) return values[i]!;
  const { buffer, byteOffset } = values as Int32Array;
  return new DataView(buffer as ArrayBuffer, byteOffset).getBigInt64(i * 8, true);
}

function micros(value: bigint, unit: number, column: string): bigint {
  if (unit < 3) return value * MICROS[unit]!;
  if (value % 1000n === 0n) return value / 1000n;
  throw new HourglassError(
    'COLUMN_INVALID',
    `Column "${column}": expected whole microseconds, found a time of ${value} ns, which cannot be kept exactly beside a time zone or as a time of day. Round it to microseconds.`,
  );
}

function decimal(words: Uint32Array, i: number, { precision, scale, bitWidth }: Facts): DuckDBValue {
  const count = (bitWidth || 128) / 32;
  let value = 0n;
  for (let word = count - 1; word >= 0; word--) value = (value << 32n) | BigInt(words[i * count + word]!);
  return new DuckDBDecimalValue(BigInt.asIntN(count * 32, value), precision, scale);
}

/** IEEE 754 half precision: every value is one of single precision too. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
