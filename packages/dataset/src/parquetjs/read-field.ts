import {
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBUUIDValue,
  listValue,
  mapValue,
  structValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { ident } from '../sql.ts';

/** What the footer says of a field; numbers are those of Parquet's Thrift definition. */
export interface SchemaElement {
  name: string;
  type?: number | null;
  repetition_type?: number | null;
  num_children?: number | null;
  converted_type?: number | null;
  precision?: number | null;
  scale?: number | null;
  logicalType?: {
    TIMESTAMP?: { isAdjustedToUTC: boolean; unit: TimeUnit } | null;
    TIME?: { isAdjustedToUTC: boolean; unit: TimeUnit } | null;
    UUID?: unknown;
    FLOAT16?: unknown;
    LIST?: unknown;
    MAP?: unknown;
    STRING?: unknown;
    JSON?: unknown;
  } | null;
}

interface TimeUnit {
  MILLIS?: unknown;
  MICROS?: unknown;
  NANOS?: unknown;
}

export interface SchemaNode extends SchemaElement {
  children: SchemaNode[];
}

/** The type a field has for us and how its raw values become it; undefined where it cannot be kept. */
export interface ReadField {
  physical: string;
  from(value: never): DuckDBValue;
}

/** Numbers of Thrift: primitive types, repetition, and types as older files say them. */
export const PRIMITIVES = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'] as const; // prettier-ignore
const CONVERTED = ['UTF8', 'MAP', 'MAP_KEY_VALUE', 'LIST', 'ENUM', 'DECIMAL', 'DATE', 'TIME_MILLIS', 'TIME_MICROS', 'TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS', 'UINT_8', 'UINT_16', 'UINT_32', 'UINT_64', 'INT_8', 'INT_16', 'INT_32', 'INT_64', 'JSON', 'BSON', 'INTERVAL']; // prettier-ignore
const REPEATED = 2;

/** The tree of a footer's flat list, without its root. */
export function schemaTree(elements: readonly SchemaElement[]): SchemaNode[] {
  let at = 0;
  const take = (): SchemaNode => {
    const element = elements[at++]!;
    return { ...element, children: Array.from({ length: element.num_children ?? 0 }, take) };
  };
  return take().children;
}

export function readField(node: SchemaNode): ReadField | undefined {
  return node.repetition_type === REPEATED ? undefined : fieldOf(node);
}

function fieldOf(node: SchemaNode): ReadField | undefined {
  if (node.children.length === 0) return leaf(node);
  const { logicalType } = node;
  const converted = CONVERTED[node.converted_type ?? -1];
  const [only] = node.children;
  if ((logicalType?.LIST || converted === 'LIST') && only?.repetition_type === REPEATED) return list(only);
  if ((logicalType?.MAP || converted?.startsWith('MAP')) && only?.repetition_type === REPEATED) return map(only);
  const fields = node.children.map((child) => [child.name, readField(child)] as const);
  if (fields.some(([, field]) => field === undefined)) return undefined;
  return {
    physical: `STRUCT(${fields.map(([name, field]) => `${ident(name)} ${field!.physical}`).join(', ')})`,
    from: (value: Record<string, unknown>) =>
      structValue(Object.fromEntries(fields.map(([name, field]) => [name, cell(value[name], field!)]))),
  };
}

/** Three levels, or the older two where the repeated field is the element. */
function list(repeated: SchemaNode): ReadField | undefined {
  const [inner] = repeated.children;
  const two = repeated.children.length !== 1 || repeated.name === 'array' || repeated.name.endsWith('_tuple');
  const element = two ? fieldOf(repeated) : readField(inner!);
  return (
    element && {
      physical: `${element.physical}[]`,
      from: (value: Record<string, unknown[] | null>) =>
        listValue(
          (value[repeated.name] ?? []).map((item) =>
            cell(two ? item : (item as Record<string, unknown>)[inner!.name], element),
          ),
        ),
    }
  );
}

function map(repeated: SchemaNode): ReadField | undefined {
  const [key, value] = repeated.children;
  const fields = [key && readField(key), value && readField(value)] as const;
  if (fields[0] === undefined || fields[1] === undefined) return undefined;
  return {
    physical: `MAP(${fields[0].physical}, ${fields[1].physical})`,
    from: (map: Record<string, Record<string, unknown>[] | null>) =>
      mapValue(
        (map[repeated.name] ?? []).map((entry) => ({
          key: cell(entry[key!.name], fields[0]!),
          value: cell(entry[value!.name], fields[1]!),
        })),
      ),
  };
}

/** A cell that may be missing. */
export const cell = (value: unknown, field: ReadField): DuckDBValue =>
  value === null || value === undefined ? null : field.from(value as never);

const as = (physical: string, from: (value: never) => DuckDBValue): ReadField => ({ physical, from });

function leaf({ type, converted_type, logicalType, precision, scale }: SchemaNode): ReadField | undefined {
  const primitive = PRIMITIVES[type ?? -1];
  const converted = CONVERTED[converted_type ?? -1];
  if (converted === 'DECIMAL') {
    const [digits, places] = [precision ?? 0, scale ?? 0];
    return as(`DECIMAL(${digits},${places})`, (v) => new DuckDBDecimalValue(unscaled(v), digits, places));
  }
  switch (primitive) {
    case 'BOOLEAN':
      return as('BOOLEAN', (v) => Boolean(v));
    case 'FLOAT':
      return as('FLOAT', (v) => v);
    case 'DOUBLE':
      return as('DOUBLE', (v) => v);
    case 'INT32':
      return small(converted);
    case 'INT64': {
      const time = logicalType?.TIMESTAMP ?? logicalType?.TIME;
      if (logicalType?.TIME || converted === 'TIME_MICROS')
        return time?.unit.NANOS ? undefined : as('TIME', (v) => new DuckDBTimeValue(v));
      if (logicalType?.TIMESTAMP || converted?.startsWith('TIMESTAMP')) return timestamp(logicalType, converted);
      return converted === 'UINT_64' ? as('UBIGINT', (v) => BigInt.asUintN(64, v)) : as('BIGINT', (v) => v);
    }
    case 'BYTE_ARRAY':
      if (converted === 'JSON' || logicalType?.JSON) return as('JSON', (v) => String(v));
      if (converted === 'UTF8' || converted === 'ENUM' || logicalType?.STRING) return as('VARCHAR', (v) => String(v));
      return as('BLOB', (v: Buffer) => blobValue(new Uint8Array(v)));
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logicalType?.UUID)
        return as('UUID', (v: Buffer) => DuckDBUUIDValue.fromUint128(BigInt(`0x${v.toString('hex')}`)));
      return logicalType?.FLOAT16 || converted === 'INTERVAL'
        ? undefined
        : as('BLOB', (v: Buffer) => blobValue(new Uint8Array(v)));
    default:
      return undefined;
  }
}

function small(converted: string | undefined): ReadField {
  switch (converted) {
    case 'DATE':
      return as('DATE', (v) => new DuckDBDateValue(v));
    case 'TIME_MILLIS':
      return as('TIME', (v) => new DuckDBTimeValue(BigInt(v) * 1000n));
    case 'INT_8':
      return as('TINYINT', (v) => v);
    case 'INT_16':
      return as('SMALLINT', (v) => v);
    case 'UINT_8':
      return as('UTINYINT', (v) => v);
    case 'UINT_16':
      return as('USMALLINT', (v) => v);
    case 'UINT_32':
      return as('UINTEGER', (v) => v >>> 0);
    default:
      return as('INTEGER', (v) => v);
  }
}

function timestamp(logicalType: SchemaElement['logicalType'], converted: string | undefined): ReadField {
  const { unit, isAdjustedToUTC = false } = logicalType?.TIMESTAMP ?? {};
  if (unit?.NANOS) return as('TIMESTAMP_NS', (v) => new DuckDBTimestampNanosecondsValue(v));
  const factor = unit?.MILLIS || converted === 'TIMESTAMP_MILLIS' ? 1000n : 1n;
  return isAdjustedToUTC
    ? as('TIMESTAMP WITH TIME ZONE', (v: bigint) => new DuckDBTimestampTZValue(v * factor))
    : as('TIMESTAMP', (v: bigint) => new DuckDBTimestampValue(v * factor));
}

function unscaled(value: number | bigint | Buffer): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value);
  return value.length === 0 ? 0n : BigInt.asIntN(value.length * 8, BigInt(`0x${value.toString('hex')}`));
}
