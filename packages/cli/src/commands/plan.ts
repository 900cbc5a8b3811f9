import { dirname, resolve } from 'node:path';
import type { PlannedStage } from '@hourglass/runtime';
import { createRunner, planPipeline } from '@hourglass/runtime';
import type { BindingFlags } from '../bind-options.ts';
import { bindingOf } from '../bind-options.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { openStoreFor } from '../open-store.ts';
import { renderDiagnostics } from '../output/diagnostics.ts';
import { plural } from '../output/format.ts';
import { formatTable } from '../output/table.ts';
import type { ProgramState } from '../program.ts';

/** `hourglass plan FILE` */
export async function plan(
  context: CliContext,
  state: ProgramState,
  file: string,
  flags: BindingFlags & { json?: boolean },
): Promise<void> {
  const loaded = await loadPipeline(context, file);
  const store = await openStoreFor(context, flags);
  const runner = createRunner({ store, plugins: loaded.plugins });
  let stages: PlannedStage[];
  try {
    stages = await planPipeline({
      ...(await bindingOf(context, loaded.plan, flags)),
      plan: loaded.plan,
      store,
      runner,
      baseDir: dirname(loaded.file),
      outDir: resolve(context.cwd, flags.out ?? '.'),
    });
  } finally {
    await runner.close();
  }
  // A stage that would fail at once is a mistake of the pipeline that only the machine could show.
  if (stages.some(({ problem }) => problem)) state.exitCode = EXIT.wrong;
  if (flags.json) {
    context.stdout.write(`${JSON.stringify({ pipeline: loaded.plan.name, stages })}\n`);
    return;
  }
  const { stdout, colors: c } = context;
  if (loaded.warnings.length) context.stderr.write(`${renderDiagnostics(loaded.warnings, context.errorColors)}\n\n`);
  const paint: Record<PlannedStage['status'], (text: string) => string> = {
    HIT: c.green,
    RUN: c.yellow,
    UNKNOWN: c.dim,
    SKIPPED: c.dim,
    FAILED: c.red,
  };
  const rows = stages.map(({ path, uses, status, reason, problem, items }) => [
    '  '.repeat(path.split('.').length - 1) + path.slice(path.lastIndexOf('.') + 1),
    problem ? c.red(status) : paint[status](status),
    (items ? `${items.hit} of ${items.hit + items.run} cached; ` : '') +
      (problem ? c.red(reason) : reason.replace(/^cached$/, '')),
    uses ?? 'group',
  ]);
  const columns = [
    { title: 'STAGE' },
    { title: '' },
    { title: 'WHY', shrink: true, minimum: 20 },
    { title: 'USES', shrink: true, minimum: 8 },
  ];
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
  for (const { path, problem } of stages)
    if (problem) stdout.write(`\n${c.red('✗')} ${c.bold(path)} would fail: ${problem.message}\n`);
  const count = (status: PlannedStage['status']): number => stages.filter((stage) => stage.status === status).length;
  const parts = [
    plural(count('HIT'), 'hit'),
    `${count('RUN')} to run`,
    count('UNKNOWN') ? `${count('UNKNOWN')} known only then` : '',
    count('SKIPPED') ? `${count('SKIPPED')} skipped` : '',
  ];
  stdout.write(c.dim(`\n${parts.filter(Boolean).join(' · ')}\n`));
}
