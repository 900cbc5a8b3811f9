import { HourglassError } from '@hourglass/core';
import { pickColumns } from './columns.ts';
import { chunksOf, withConnection, type Connection } from './duckdb.ts';
import { literal } from './sql.ts';
import { segmentRelation, segments, type LocalPart } from './segments.ts';
import type { Column, Matrix, MatrixColumn, RowRange } from './types.ts';
import { asDouble } from './values.ts';
import { eachVector } from './vectors.ts';

/** A column of the matrix, or `width` of them side by side. */
interface Slot {
  column: Column;
  center: number;
  scale: number;
  /** First column of the matrix. */
  at: number;
  width: number;
}

/**
 * Lets the database do the work for each cell (missing values, centre and scale in double, the cast) and copies plain
 * float chunks into rows.
 */
export async function readMatrix(
  columns: Column[],
  parts: LocalPart[],
  wanted: (string | MatrixColumn)[],
  range: RowRange = {},
): Promise<Matrix> {
  const { slots, cols } = layOut(columns, wanted);
  const pieces = segments(parts, range);
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  const data = new Float32Array(rows * cols);
  await withConnection(async (connection) => {
    let row = 0;
    for (const piece of pieces) {
      const relation = segmentRelation(piece, columns);
      await readScalars(
        connection,
        relation,
        slots.filter((slot) => slot.column.type !== 'vector'),
        data,
        row,
        cols,
      );
      for (const slot of slots)
        if (slot.column.type === 'vector') await readVector(connection, relation, slot, data, row, cols);
      row += piece.rows;
    }
  });
  return { rows, cols, data };
}

function layOut(columns: Column[], wanted: (string | MatrixColumn)[]): { slots: Slot[]; cols: number } {
  const specs = wanted.map((entry) => (typeof entry === 'string' ? { name: entry } : entry));
  const picked = pickColumns(
    columns,
    specs.map((spec) => spec.name),
    'Matrix of a dataset',
  );
  const bad = picked.filter(({ type }) => ['string', 'bigint', 'decimal', 'other'].includes(type));
  if (bad.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Matrix of a dataset: expected numbers, found ${bad.map((c) => `"${c.name}" (${why(c)})`).join(', ')}. Leave the column out or convert it.`,
      { details: { columns: bad.map((c) => c.name) } },
    );
  let cols = 0;
  const slots = picked.map((column, i): Slot => {
    const { center = 0, scale = 1 } = specs[i]! as MatrixColumn;
    if (!Number.isFinite(center) || !Number.isFinite(scale) || scale === 0)
      throw new HourglassError(
        'CALL_INVALID',
        `Matrix column "${column.name}": expected a finite centre and a finite scale other than 0, found ${center} and ${scale}.`,
      );
    const width = column.length ?? 1;
    cols += width;
    return { column, center, scale, at: cols - width, width };
  });
  return { slots, cols };
}

const why = ({ type, physical }: Column): string =>
  type === 'string'
    ? 'text'
    : type === 'other'
      ? physical
      : `${physical} with values that a double cannot hold exactly`;

const cell = (value: string, { center, scale }: Slot): string => {
  const moved =
    center === 0 && scale === 1 ? value : `((${value} - ${literal(center)}::DOUBLE) / ${literal(scale)}::DOUBLE)`;
  return `coalesce(${moved}::FLOAT, 'nan'::FLOAT)`;
};

async function readScalars(
  connection: Connection,
  relation: string,
  slots: Slot[],
  data: Float32Array,
  firstRow: number,
  cols: number,
): Promise<void> {
  if (slots.length === 0) return;
  try {
    const result = await connection.stream(
      `SELECT ${slots.map((slot) => cell(asDouble(slot.column), slot)).join(', ')} FROM ${relation}`,
    );
    let row = firstRow;
    for await (const chunk of chunksOf(result)) {
      const n = chunk.rowCount;
      for (let j = 0; j < slots.length; j++) {
        const values = floats(chunk.getColumnVector(j));
        for (let i = 0, k = row * cols + slots[j]!.at; i < n; i++, k += cols) data[k] = values[i]!;
      }
      row += n;
    }
  } catch (error) {
    throw (await outOfRange(connection, relation, slots, error)) ?? error;
  }
}

async function readVector(
  connection: Connection,
  relation: string,
  slot: Slot,
  data: Float32Array,
  firstRow: number,
  cols: number,
): Promise<void> {
  const { column, center, scale, width } = slot;
  await eachVector(connection, relation, column, (row, cells) => {
    const at = (firstRow + row) * cols + slot.at;
    if (!cells) return void data.fill(NaN, at, at + width);
    for (let j = 0; j < width; j++) {
      const moved = (cells[j]! - center) / scale;
      data[at + j] = moved;
      if (Math.abs(moved) > MAX_FLOAT && Number.isFinite(moved))
        throw new HourglassError(
          'COLUMN_INVALID',
          `Column "${column.name}": element ${j + 1} of row ${row + 1} of those read, ${cells[j]}, is outside the range of a 32-bit float (about ±3.4e38)${scale === 1 ? '' : ' after centring and scaling'}. Scale the column, clip it or leave it out.`,
          { details: { column: column.name, row: row + 1, value: String(cells[j]) } },
        );
    }
  });
}

/** Largest value of single precision. */
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/** The float items behind a vector of a chunk; the typed array is not part of the package's types. */
const floats = (vector: unknown): Float32Array => (vector as { items: Float32Array }).items;

/** Names the column and the first cell that a float cannot hold, when that is what went wrong. */
async function outOfRange(
  connection: Connection,
  relation: string,
  slots: Slot[],
  error: unknown,
): Promise<HourglassError | undefined> {
  if (!/out of range/.test((error as Error).message)) return undefined;
  for (const slot of slots) {
    const value = asDouble(slot.column);
    const moved = `((${value} - ${literal(slot.center)}::DOUBLE) / ${literal(slot.scale)}::DOUBLE)`;
    const [found] = await connection.rows<{ row: string; value: string }>(
      `SELECT n AS row, v::VARCHAR AS value FROM (SELECT row_number() OVER () AS n, ${moved} AS m, ${value} AS v FROM ${relation})
       WHERE isfinite(m) AND try_cast(m AS FLOAT) IS NULL LIMIT 1`,
    );
    if (found !== undefined)
      return new HourglassError(
        'COLUMN_INVALID',
        `Column "${slot.column.name}": ${found.value} (row ${found.row} of those read) is outside the range of a 32-bit float (about ±3.4e38)${slot.scale === 1 ? '' : ' after centring and scaling'}. Scale the column, clip it or leave it out.`,
        { details: { column: slot.column.name, row: Number(found.row), value: found.value }, cause: error },
      );
  }
  return undefined;
}
