import { HourglassError } from '@hourglass/core';
import { collectReport, compareRuns, comparisonHtml, comparisonMarkdown, withDelta } from '@hourglass/report';
import { readRun } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { openStoreFor } from '../open-store.ts';
import { formatTable } from '../output/table.ts';
import { deliverPage, type ReportOptions } from './report.ts';

/** `hourglass compare RUN RUN…` */
export async function compare(context: CliContext, runs: string[], options: ReportOptions): Promise<void> {
  if (runs.length < 2)
    throw new HourglassError(
      'CALL_INVALID',
      `Expected two runs or more to compare, found ${runs.length}. See hourglass runs.`,
    );
  const store = await openStoreFor(context, options);
  const reports = [];
  for (const run of runs) reports.push(await collectReport(store, await readRun(store, run)));
  const comparison = compareRuns(reports);
  if (options.output !== undefined || options.open)
    await deliverPage(
      context,
      await comparisonHtml(comparison, reports),
      options.output ?? 'compared.html',
      options.open,
    );
  const { stdout, colors: c } = context;
  if (options.json) stdout.write(`${JSON.stringify(comparison)}\n`);
  else if (options.markdown) stdout.write(comparisonMarkdown(comparison));
  else if (options.output !== '-') {
    const width = Math.max(60, Math.min(stdout.columns ?? 120, 160));
    const heads = comparison.runs.map(({ id }) => ({ title: id, align: 'right' as const, shrink: true, minimum: 10 }));
    const write = (title: string, rows: string[][]): void => {
      if (rows.length > 0)
        stdout.write(
          `${formatTable([{ title, shrink: true, minimum: 12 }, ...heads], rows, { width, header: c.dim }).join('\n')}\n\n`,
        );
    };
    write('WHAT DIFFERS', [
      ['status', ...comparison.runs.map(({ status }) => status)],
      ...comparison.differences.map(({ name, values }) => [name, ...values.map((value) => value ?? '–')]),
    ]);
    write(
      'METRIC',
      comparison.metrics.map((row) => [row.name, ...comparison.runs.map((_, i) => withDelta(row, i))]),
    );
  }
}
