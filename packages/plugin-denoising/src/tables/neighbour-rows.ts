import type { DatasetReader, Table } from '@hourglass/dataset';

/** Rows at a time. */
const CHUNK = 16_384;

/** Columns of a run of rows in one order, NaN where missing. */
export type NumberColumns = Record<string, Float64Array>;

/** Steps to the rows seen beside a row, the row itself first. */
export const offsets = (reach: number): number[] =>
  [0].concat(Array.from({ length: reach }, (_, i) => [-(i + 1), i + 1]).flat());

/** Name of a column as it stands so many rows away. */
export const neighbourName = (name: string, offset: number): string =>
  offset === 0 ? name : `${name}@${offset > 0 ? '+' : ''}${offset}`;

/**
 * Rows `from` … `to` of a run with the rows around each beside it: a column `NAME@-1`, `NAME@+1` … for every step, missing
 * beyond the ends of the run. The columns of the row itself come first.
 */
export function besideNeighbours(run: NumberColumns, reach: number, from: number, to: number): Table {
  const names = Object.keys(run);
  const length = run[names[0]!]!.length;
  const columns: Table['columns'] = {};
  for (const offset of offsets(reach))
    for (const name of names) {
      const values = new Float64Array(to - from).fill(NaN);
      const [first, end] = [Math.max(0, from + offset), Math.min(length, to + offset)];
      if (end > first) values.set(run[name]!.subarray(first, end), first - offset - from);
      columns[neighbourName(name, offset)] = { kind: 'numeric', values };
    }
  return { rows: to - from, columns };
}

/** The rows of a part with their neighbours beside them, in order, some at a time; memory holds one chunk and its surroundings. */
export async function* tablesBesideNeighbours(
  reader: DatasetReader,
  part: string,
  names: string[],
  reach: number,
): AsyncGenerator<Table> {
  let run: NumberColumns = Object.fromEntries(names.map((name) => [name, new Float64Array(0)]));
  // Rows of the run that have been given already: they stay as the neighbours of those to come.
  let given = 0;
  const length = (): number => run[names[0]!]!.length;
  const give = (to: number): Table => {
    const table = besideNeighbours(run, reach, given, to);
    const kept = Math.max(0, to - reach);
    run = mapColumns(run, (values) => values.slice(kept));
    given = to - kept;
    return table;
  };
  for await (const chunk of reader.chunks(names, { part, rows: CHUNK })) {
    run = mapColumns(run, (values, name) => {
      const data = chunk.columns[name]!;
      const joined = new Float64Array(values.length + chunk.rows);
      joined.set(values);
      if (data.kind === 'numeric') joined.set(data.values, values.length);
      return joined;
    });
    if (length() - reach > given) yield give(length() - reach);
  }
  if (length() > given) yield give(length());
}

const mapColumns = (run: NumberColumns, map: (values: Float64Array, name: string) => Float64Array): NumberColumns =>
  Object.fromEntries(Object.entries(run).map(([name, values]) => [name, map(values, name)]));
