import type { ComparedColumn, NumberMatrix } from '@hourglass/metrics';
import type { ComparedTable } from './compared-table.ts';

/** How a table becomes numbers for learners: standardised, one column a category, and one that says missing. */
export interface Design {
  parts: (
    | { name: string; kind: 'numeric'; mean: number; deviation: number; missing: boolean }
    | { name: string; kind: 'category'; categories: string[] }
  )[];
  width: number;
}

/** Fits on the rows to learn from, without the label. */
export function fitDesign({ columns }: ComparedTable, without: string | undefined): Design {
  const parts: Design['parts'] = Object.entries(columns).flatMap(([name, column]): Design['parts'] => {
    if (name === without) return [];
    if (column.kind === 'category') return [{ name, kind: 'category', categories: column.categories }];
    const known = column.values.filter((value) => !Number.isNaN(value));
    const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
    const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length);
    return [
      {
        name,
        kind: 'numeric',
        mean,
        deviation: Math.sqrt(variance) || 1,
        missing: known.length < column.values.length,
      },
    ];
  });
  return {
    parts,
    width: parts.reduce(
      (sum, part) => sum + (part.kind === 'category' ? part.categories.length : part.missing ? 2 : 1),
      0,
    ),
  };
}

/** Some rows of a table; missing numbers are the mean, missing and new categories are none. */
export function designMatrix(
  { parts, width }: Design,
  { columns }: ComparedTable,
  rows: readonly number[],
): NumberMatrix {
  const data = new Float64Array(rows.length * width);
  let at = 0;
  for (const part of parts) {
    const column = columns[part.name] as ComparedColumn;
    if (part.kind === 'category') {
      const codes = codesInto(part.categories, column);
      rows.forEach((row, i) => {
        const code = codes(row);
        if (code >= 0) data[i * width + at + code] = 1;
      });
      at += part.categories.length;
      continue;
    }
    const { values } = column as { values: Float64Array };
    rows.forEach((row, i) => {
      const value = values[row]!;
      if (!Number.isNaN(value)) data[i * width + at] = (value - part.mean) / part.deviation;
      else if (part.missing) data[i * width + at + 1] = 1;
    });
    at += part.missing ? 2 : 1;
  }
  return { rows: rows.length, cols: width, data };
}

/** A row's code among given categories, −1 for none of them. */
export function codesInto(categories: readonly string[], column: ComparedColumn): (row: number) => number {
  const known = new Map(categories.map((name, code) => [name, code]));
  if (column.kind === 'numeric') return (row) => known.get(String(column.values[row])) ?? -1;
  const codes = column.categories.map((name) => known.get(name) ?? -1);
  return (row) => (column.codes[row]! < 0 ? -1 : codes[column.codes[row]!]!);
}
