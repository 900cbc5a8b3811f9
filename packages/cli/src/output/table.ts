import { pad, textWidth, truncate } from './text-width.ts';

export interface TableColumn {
  title: string;
  align?: 'left' | 'right';
  /** Gives way first where the table is too wide: cut with `…`, down to `minimum`. */
  shrink?: boolean;
  /** @default 12 */
  minimum?: number;
}

const GAP = '  ';

/**
 * Rows in aligned columns, at most `width` wide as far as the shrinking columns allow; no trailing spaces.
 * Columns that are empty in every row are left out.
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: { width?: number; indent?: string; header?: (text: string) => string } = {},
): string[] {
  const { width = Infinity, indent = '', header = (text) => text } = options;
  const used = columns.map((_, i) => i).filter((i) => rows.some((row) => row[i]));
  const widths = used.map((i) => Math.max(textWidth(columns[i]!.title), ...rows.map((row) => textWidth(row[i] ?? ''))));
  let over = indent.length + widths.reduce((sum, w) => sum + w, 0) + GAP.length * (used.length - 1) - width;
  while (over > 0) {
    // The widest of the shrinking columns gives up one column at a time, so that they stay even.
    let widest = -1;
    used.forEach((i, k) => {
      const column = columns[i]!;
      if (column.shrink && widths[k]! > (column.minimum ?? 12) && (widest < 0 || widths[k]! > widths[widest]!))
        widest = k;
    });
    if (widest < 0) break;
    widths[widest]!--;
    over--;
  }
  const line = (cells: readonly string[]): string =>
    indent +
    used
      .map((i, k) =>
        pad(truncate(cells[i] ?? '', widths[k]!), widths[k]!, columns[i]!.align === 'right' ? 'right' : 'left'),
      )
      .join(GAP)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  const head = titles.some(Boolean) ? [header(line(titles))] : [];
  return [...head, ...rows.map(line)];
}
