import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';

type Row = BenchmarkResult['rows'][number];

/** A benchmark's table, each row said as it is found: a run of hours that is ended before its last one leaves the others. */
export function growingTable(log: BenchmarkOptions['log']): { rows: Row[]; addRow(row: Row): void } {
  const rows: Row[] = [];
  return {
    rows,
    addRow(row) {
      rows.push(row);
      const cells = Object.entries(row).filter(([, value]) => value !== '');
      log(`found: ${cells.map((cell) => cell.join(' ')).join(', ')}`);
    },
  };
}
