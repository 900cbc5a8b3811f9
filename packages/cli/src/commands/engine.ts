import { engineStatuses, installTensorflow, uninstallTensorflow } from '@hourglass/engine';
import { didYouMean, HourglassError } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { formatTable } from '../output/table.ts';

/** `hourglass engine` */
export function list(context: CliContext, options: { json?: boolean }): void {
  const { stdout, colors: c } = context;
  const statuses = engineStatuses();
  if (options.json) {
    stdout.write(`${JSON.stringify(statuses)}\n`);
    return;
  }
  const chosen = statuses.find((status) => status.available)?.name;
  const rows = statuses.map(({ name, available, reason }) => [
    available ? c.green('✓') : c.dim('–'),
    name === chosen ? c.bold(name) : name,
    name === chosen ? 'auto' : '',
    reason,
  ]);
  const columns = [{ title: '' }, { title: 'ENGINE' }, { title: '' }, { title: 'WHY', shrink: true, minimum: 24 }];
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
  for (const { available, name, remedy } of statuses) if (!available && remedy) stdout.write(`\n${name}: ${remedy}`);
  stdout.write('\n');
}

/** `hourglass engine install NAME` */
export async function install(
  context: CliContext,
  name: string,
  options: { cuda?: boolean; wheel?: string },
): Promise<void> {
  onlyTensorflow(name);
  const controller = new AbortController();
  const stop = (): void =>
    controller.abort(new HourglassError('CANCELLED', 'The installation was interrupted; run it again to go on.'));
  process.once('SIGINT', stop);
  try {
    const record = await installTensorflow({
      ...options,
      signal: controller.signal,
      onStep: (line) => context.stdout.write(`${context.colors.dim('·')} ${line}\n`),
    });
    context.stdout.write(`${context.colors.green('✓')} TensorFlow ${record.tensorflow} in ${record.folder}\n`);
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

/** `hourglass engine uninstall NAME` */
export async function uninstall(context: CliContext, name: string): Promise<void> {
  onlyTensorflow(name);
  await uninstallTensorflow();
  context.stdout.write(`${context.colors.green('✓')} TensorFlow is removed\n`);
}

function onlyTensorflow(name: string): void {
  if (name === 'tensorflow') return;
  const builtIn = ['wasm', 'cpu'].includes(name) ? `${name} is part of Hourglass. ` : '';
  const near = didYouMean(name, ['tensorflow']);
  throw new HourglassError(
    'CALL_INVALID',
    `${builtIn}The engine that can be installed is tensorflow, found "${name}".${near ? ` Did you mean ${near}?` : ''}`,
  );
}
