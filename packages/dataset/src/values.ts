import { HourglassError } from '@hourglass/core';
import { ident } from './sql.ts';
import type { Column } from './types.ts';

/** How a column of one value a row shows itself in memory: as doubles, as text, or not at all. */
export function memoryKind(column: Column): 'numeric' | 'category' | undefined {
  switch (column.type) {
    case 'float':
    case 'integer':
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'time':
      return 'numeric';
    case 'string':
    case 'bigint':
    case 'decimal':
      return 'category';
    default:
      return undefined;
  }
}

/** SQL for the double a numeric column stands for: booleans 0/1, points in time as milliseconds since 1970 UTC. */
export function asDouble({ name, type, physical }: Column, of = ident(name)): string {
  if (type === 'date') return `epoch_ms(${of}::TIMESTAMP)::DOUBLE`;
  if (type === 'timestamp')
    return physical === 'TIMESTAMP_NS' ? `(epoch_ns(${of}) / 1e6)` : `(epoch_us(${of}) / 1000.0::DOUBLE)`;
  if (type === 'time') return `(epoch_us(${of}) / 1000.0::DOUBLE)`;
  return `${of}::DOUBLE`;
}

/** SQL that turns such a double back into the column's physical type, rounding where the type has no fractions. */
export function fromDouble({ type, physical }: Pick<Column, 'type' | 'physical'>, value: string): string {
  const micros = `CAST(round(${value} * 1000) AS BIGINT)`;
  if (type === 'date') return `CAST(make_timestamp(${micros}) AS DATE)`;
  if (type === 'time') return `CAST(make_timestamp(${micros}) AS TIME)`;
  if (type === 'timestamp') {
    if (physical === 'TIMESTAMP WITH TIME ZONE') return `make_timestamptz(${micros})`;
    if (physical === 'TIMESTAMP_NS') return `make_timestamp_ns(CAST(round(${value} * 1e6) AS BIGINT))`;
    return `CAST(make_timestamp(${micros}) AS ${physical})`;
  }
  if (type === 'integer' && !physical.startsWith('DECIMAL')) return `CAST(round(${value}) AS ${physical})`;
  return `CAST(${value} AS ${physical})`;
}

/** @throws COLUMN_INVALID naming the columns that cannot be held in memory as numbers or categories */
export function requireMemoryKind(columns: Column[]): void {
  const bad = columns.filter((column) => memoryKind(column) === undefined && column.type !== 'vector');
  if (bad.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Column ${bad.map((c) => `"${c.name}" (${c.physical})`).join(', ')}: expected numbers, text, points in time or lists of numbers of one length, found another nested or binary type. Leave the column out; it still passes through the dataset.`,
      { details: { columns: bad.map((c) => c.name) } },
    );
}
