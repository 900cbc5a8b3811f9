import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { compile, formatDiagnostics, HourglassError } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { loadPlugins } from '../load-plugins.ts';
import { deliver } from '../output/deliver.ts';
import { plural } from '../output/format.ts';
import { judgeColumns } from '../propose/judge-columns.ts';
import { proposePipeline } from '../propose/propose-pipeline.ts';

/** `hourglass init TABLE` */
export async function init(
  context: CliContext,
  table: string,
  options: { output?: string; name?: string },
): Promise<void> {
  const { cwd, stderr, errorColors: c } = context;
  const path = resolve(cwd, table);
  const name = pipelineName(options.name ?? basename(path).replace(/\.[^.]+$/, ''));
  const { ingest, openDataset, profileDataset } = await import('@hourglass/dataset');
  // Looked at in a store of its own: a proposal leaves nothing behind.
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-init-'));
  try {
    const { artifacts } = await openStore(scratch);
    const ref = await ingest(artifacts, { uri: path });
    const { columns, rows } = await openDataset(artifacts, ref);
    const profile = await profileDataset(artifacts, ref);
    const judged = judgeColumns(columns, profile.columns, rows);
    if (judged.every(({ excluded }) => excluded)) {
      const reasons = judged.slice(0, 8).map(({ name: column, excluded }) => `${column} (${excluded!.reason})`);
      throw new HourglassError('DATA_INSUFFICIENT', `${table} has no column to learn from: ${reasons.join('; ')}.`);
    }
    const folder = options.output && options.output !== '-' ? dirname(resolve(cwd, options.output)) : cwd;
    const uri = relative(folder, path);
    const text = proposePipeline({ name, uri, shown: table, rows, columns: judged });
    await mustCompile(context, text);
    await deliver(context, text, { file: options.output, overwrite: false });
    const learned = judged.filter(({ excluded }) => !excluded).length;
    stderr.write(
      `${c.dim(`${plural(rows, 'row')}, ${plural(columns.length, 'column')}: ${learned} learned, ${columns.length - learned} excluded with their reasons`)}\n`,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A proposal that does not run as it stands would be worse than none. */
async function mustCompile(context: CliContext, text: string): Promise<void> {
  const { registry } = await loadPlugins(context);
  const { diagnostics } = compile({ text, file: 'proposal.yaml' }, registry);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new HourglassError('INTERNAL', `The proposal has mistakes:\n\n${formatDiagnostics(errors)}`);
}

function pipelineName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '');
  return /^[A-Za-z_]/.test(name) ? name : `table_${name}`;
}
