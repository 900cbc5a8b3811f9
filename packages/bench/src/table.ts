/** Rows as a table for a terminal: text to the left, numbers to the right. */
export function formatTable(rows: readonly Record<string, string | number>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, c) => Math.max(...cells.map((line) => line[c]!.length)));
  const numeric = names.map((name) => rows.every((row) => row[name] === undefined || typeof row[name] === 'number'));
  const lines = cells.map(
    (line) =>
      `| ${line.map((cell, c) => (numeric[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!))).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, c) => (numeric[c] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
