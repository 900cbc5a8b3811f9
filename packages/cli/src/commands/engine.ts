import { didYouMean, HourglassError } from '@hourglass/core';
import {
  ENGINE_NAMES,
  engineStatuses,
  installTensorflow,
  isBuiltIn,
  resolveEngine,
  uninstallTensorflow,
  type EngineName,
} from '@hourglass/engine';
import type { ReferenceNet } from '@hourglass/engine/reference-nets';
import type { CliContext } from '../context.ts';
import { formatTable } from '../output/table.ts';

/** Loaded when needed: it brings a tensor library. */
const referenceNets = () => import('@hourglass/engine/reference-nets');

/** `hourglass engine`, `hourglass engine list` */
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
    const { REFERENCE_NETS, timeTraining } = await referenceNets();
    const { msPerStep, steps } = await timeTraining(await resolveEngine('tensorflow'), REFERENCE_NETS[0]!, {
      epochs: 1,
      budgetMs: 0,
    });
    const tried = `trained a small net for ${steps} steps, ${msPerStep.toFixed(2)} ms each`;
    context.stdout.write(
      `${context.colors.green('✓')} TensorFlow ${record.tensorflow} in ${record.folder}; ${tried}\n`,
    );
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

/** `hourglass engine uninstall NAME` */
export async function uninstall(context: CliContext, name: string): Promise<void> {
  onlyTensorflow(name);
  const removed = await uninstallTensorflow();
  const { green, dim } = context.colors;
  context.stdout.write(
    removed ? `${green('✓')} TensorFlow is removed\n` : dim('There is no TensorFlow that `engine install` put here.\n'),
  );
}

/** Time given to each engine and net, ms. */
const BENCH_MS = 2000;

/** `hourglass engine bench`: what a training step costs on each engine of this machine. */
export async function bench(
  context: CliContext,
  options: { engines?: string; nets?: string; json?: boolean },
): Promise<void> {
  const { stdout, stderr, colors: c } = context;
  const { REFERENCE_NETS } = await referenceNets();
  const engines = chosen('--engines', options.engines, ENGINE_NAMES, () =>
    engineStatuses()
      .filter(({ available }) => available)
      .map(({ name }) => name),
  );
  const names = REFERENCE_NETS.map(({ name }) => name);
  const nets = chosen('--nets', options.nets, names, () => ['mlp-small', 'tabular', 'conv']).map((name) =>
    REFERENCE_NETS.find((net) => net.name === name)!,
  );
  const results: BenchResult[] = [];
  for (const engine of engines)
    for (const net of nets) {
      if (!options.json) stderr.write(c.dim(`timing ${net.name} on ${engine} …\n`));
      results.push(await timeOne(engine, net));
    }
  if (options.json) return void stdout.write(`${JSON.stringify(results)}\n`);
  const cell = (engine: string, net: ReferenceNet): string => {
    const { msPerStep } = results.find((one) => one.engine === engine && one.net === net.name)!;
    return msPerStep === undefined ? '–' : msPerStep.toFixed(msPerStep < 10 ? 2 : 0);
  };
  const columns = [{ title: 'ENGINE' }, ...nets.map(({ name }) => ({ title: name, align: 'right' as const }))];
  const rows = engines.map((engine) => [engine, ...nets.map((net) => cell(engine, net))]);
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
  stdout.write(c.dim('ms a training step, the least of several; other programs that run make it more.\n'));
  for (const { name, summary } of nets) stdout.write(c.dim(`${name}: ${summary}\n`));
  for (const { engine, net, error } of results) if (error) stdout.write(`${engine}, ${net}: ${error}\n`);
}

interface BenchResult {
  engine: EngineName;
  net: string;
  compileMs?: number;
  msPerStep?: number;
  cpuMsPerStep?: number;
  /** Why there is no time. */
  error?: string;
}

async function timeOne(engine: EngineName, net: ReferenceNet): Promise<BenchResult> {
  const byOperation = isBuiltIn(engine);
  if (byOperation && ['conv', 'unet'].includes(net.name))
    return { engine, net: net.name, error: 'not timed: a step of convolutions takes minutes' };
  try {
    // Slow engines are timed by the step.
    const pieceSteps = byOperation ? 1 : 8;
    const { timeTraining } = await referenceNets();
    const time = await timeTraining(await resolveEngine(engine), net, { budgetMs: BENCH_MS, pieceSteps });
    const { compileMs, msPerStep, cpuMsPerStep } = time;
    return { engine, net: net.name, compileMs, msPerStep, cpuMsPerStep };
  } catch (error) {
    return { engine, net: net.name, error: (error as Error).message.split('\n')[0]! };
  }
}

/** The names of a list given on the command line, or those that `usual` gives. */
function chosen<N extends string>(
  option: string,
  list: string | undefined,
  known: readonly N[],
  usual: () => readonly N[],
): readonly N[] {
  if (list === undefined) return usual();
  return list.split(',').map((name) => {
    const found = known.find((one) => one === name);
    if (found) return found;
    const near = didYouMean(name, known);
    throw new HourglassError(
      'CALL_INVALID',
      `${option}: expected some of ${known.join(', ')}; found "${name}".${near ? ` Did you mean ${near}?` : ''}`,
    );
  });
}

function onlyTensorflow(name: string): void {
  if (name === 'tensorflow') return;
  const builtIn = isBuiltIn(name) ? `${name} is part of Hourglass. ` : '';
  const near = didYouMean(name, ['tensorflow']);
  throw new HourglassError(
    'CALL_INVALID',
    `${builtIn}The engine that can be installed is tensorflow, found "${name}".${near ? ` Did you mean ${near}?` : ''}`,
  );
}
