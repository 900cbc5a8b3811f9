import { resolve } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { collectReport, renderHtml, renderMarkdown } from '@hourglass/report';
import type { CliContext } from '../context.ts';
import { openInBrowser } from '../open-in-browser.ts';
import { openStoreFor } from '../open-store.ts';
import { deliver } from '../output/deliver.ts';
import { findRun } from '../temporal/find-run.ts';

export interface ReportOptions {
  store?: string;
  address?: string;
  namespace?: string;
  output?: string;
  open?: boolean;
  markdown?: boolean;
  json?: boolean;
}

/** `hourglass report [RUN]` */
export async function report(context: CliContext, run: string | undefined, options: ReportOptions): Promise<void> {
  if (options.json && options.markdown)
    throw new HourglassError('CALL_INVALID', 'Expected --json or --markdown, found both. Leave one out.');
  const store = await openStoreFor(context, options);
  const id = run ?? 'latest';
  const record =
    (await findRun(context, store, id, options)) ??
    (await (await import('../temporal/server-record.ts')).serverRecord(context, id, options));
  const found = await collectReport(store, record);
  const text = options.json ? `${JSON.stringify(found)}\n` : options.markdown ? renderMarkdown(found) : undefined;
  if (text !== undefined) {
    await deliver(context, text, { file: options.output, overwrite: true });
    return;
  }
  await deliverPage(context, await renderHtml(found), options.output ?? `${found.run.id}.html`, options.open);
}

/** Writes a page and, where asked, shows it. */
export async function deliverPage(context: CliContext, page: string, file: string, open?: boolean): Promise<void> {
  await deliver(context, page, { file, overwrite: true });
  if (!open || file === '-') return;
  const path = resolve(context.cwd, file);
  if (!(await openInBrowser(path))) context.stderr.write(`No browser can be opened from here: open ${path}\n`);
}
