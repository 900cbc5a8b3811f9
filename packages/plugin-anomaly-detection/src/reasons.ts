import type { ColumnEncoder, TableEncoder } from '@hourglass/autoencoder';
import type { Column, ColumnData, Table } from '@hourglass/dataset';
import type { Components } from './detector/components.ts';

/** Brings how rare a value is (at most −log 0.1 = 2.3) to the scale of errors in deviations. */
const MARGINAL = 1.5;

/**
 * Columns `why_1, why_1_seen, why_1_expected …` of some rows: the most unusual cells first, by reconstruction error in
 * deviations or by how rare the value is, whichever is more.
 */
export function reasonColumns(
  { columns }: TableEncoder,
  components: Components,
  table: Table,
  expected: Table,
  count: number,
  prefix: string,
): Record<string, ColumnData> {
  const width = columns.length;
  const told: Record<string, ColumnData> = {};
  const most = Math.min(count, width);
  const cells = { name: [] as Int32Array[], seen: [] as Texts[], expected: [] as Texts[] };
  for (let r = 0; r < most; r++) {
    cells.name.push(new Int32Array(table.rows));
    cells.seen.push(new Texts(table.rows));
    cells.expected.push(new Texts(table.rows));
  }
  const weights = new Float64Array(width);
  for (let i = 0; i < table.rows; i++) {
    for (let j = 0; j < width; j++) {
      const error = components.errors[i * width + j]!;
      const rare = MARGINAL * components.marginal[i * width + j]!;
      weights[j] = error > rare ? error : rare;
    }
    for (let r = 0; r < most; r++) {
      let top = 0;
      for (let j = 1; j < width; j++) if (weights[j]! > weights[top]!) top = j;
      weights[top] = -Infinity;
      const column = columns[top]!;
      cells.name[r]![i] = top;
      cells.seen[r]!.set(i, cellText(column, table.columns[column.name]!, i));
      cells.expected[r]!.set(i, cellText(column, expected.columns[column.name]!, i));
    }
  }
  const names = columns.map(({ name }) => name);
  for (let r = 0; r < most; r++) {
    told[`${prefix}why_${r + 1}`] = { kind: 'category', codes: cells.name[r]!, categories: names };
    told[`${prefix}why_${r + 1}_seen`] = cells.seen[r]!.column();
    told[`${prefix}why_${r + 1}_expected`] = cells.expected[r]!.column();
  }
  return told;
}

/** Names and types of those columns. */
export const reasonSchema = (count: number, prefix: string): Pick<Column, 'name' | 'physical'>[] =>
  Array.from({ length: count }, (_, r) => ['', '_seen', '_expected'].map((end) => `${prefix}why_${r + 1}${end}`))
    .flat()
    .map((name) => ({ name, physical: 'VARCHAR' }));

/** Texts of a column, each kept once. */
class Texts {
  private readonly codes: Int32Array;
  private readonly seen = new Map<string, number>();

  constructor(rows: number) {
    this.codes = new Int32Array(rows);
  }

  set(row: number, text: string): void {
    let code = this.seen.get(text);
    if (code === undefined) this.seen.set(text, (code = this.seen.size));
    this.codes[row] = code;
  }

  column(): ColumnData {
    return { kind: 'category', codes: this.codes, categories: [...this.seen.keys()] };
  }
}

/** A cell as a person writes it: six digits of fractions, dates as ISO, `missing` where there is nothing. */
export function cellText(encoder: ColumnEncoder, data: ColumnData, row: number): string {
  if (data.kind === 'category') return data.codes[row]! < 0 ? 'missing' : data.categories[data.codes[row]!]!;
  const value = data.values[row]!;
  if (Number.isNaN(value)) return 'missing';
  if (encoder.type === 'boolean') return value >= 0.5 ? 'true' : 'false';
  if (encoder.type === 'date') return new Date(value).toISOString().slice(0, 10);
  if (encoder.type === 'timestamp') return new Date(value).toISOString().replace(/\.000Z$/, 'Z');
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
