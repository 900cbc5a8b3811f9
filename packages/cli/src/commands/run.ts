import { join, relative, resolve } from 'node:path';
import type { BindingFlags } from '../bind-options.ts';
import { bindingOf } from '../bind-options.ts';
import type { CliContext } from '../context.ts';
import { executeRun } from '../execute-run.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { openStoreFor } from '../open-store.ts';
import { renderDiagnostics } from '../output/diagnostics.ts';
import type { ProgramState } from '../program.ts';
import { asTyped } from '../as-typed.ts';

export interface RunFlags extends BindingFlags {
  maxParallel?: number;
  plain?: boolean;
  json?: boolean;
  /** Write a report of the run as RUN.html, where relative destinations go. */
  report?: boolean;
  /** Show it in the browser. */
  open?: boolean;
}

/** `hourglass run FILE` */
export async function run(context: CliContext, state: ProgramState, file: string, flags: RunFlags): Promise<void> {
  const { plan, plugins, file: path, text, warnings } = await loadPipeline(context, file);
  if (warnings.length) context.stderr.write(`${renderDiagnostics(warnings, context.errorColors)}\n\n`);
  const outDir = resolve(context.cwd, flags.out ?? '.');
  const { record, exitCode } = await executeRun(context, {
    plan,
    plugins,
    store: await openStoreFor(context, flags),
    file: path,
    text,
    outDir,
    binding: await bindingOf(context, plan, flags),
    maxParallel: flags.maxParallel,
    plain: flags.plain,
    json: flags.json,
    again: asTyped(state.argv),
  });
  state.exitCode = exitCode;
  if (!flags.report && !flags.open) return;
  // Loaded now only: drawing takes a while to load, and most runs do without.
  const { report } = await import('./report.ts');
  // Beside what the run delivers; said in words that the current folder's user can follow.
  const output = join(relative(context.cwd, outDir), `${record.id}.html`);
  await report(context, record.id, { store: flags.store, open: flags.open, output });
}
