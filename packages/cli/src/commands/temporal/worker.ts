import { resolve } from 'node:path';
import { startWorker, temporalSettings, type TemporalSettings } from '@hourglass/activities';
import type { CliContext } from '../../context.ts';
import { loadPlugins } from '../../load-plugins.ts';
import { openStoreFor } from '../../open-store.ts';
import type { TemporalFlags } from '../../temporal/with-client.ts';
import { EXIT } from '../../exit-code.ts';

export interface WorkerFlags extends TemporalFlags {
  queues?: string[];
  slots?: number;
  store?: string;
  out?: string;
  health?: string;
  metrics?: string;
}

/** `hourglass worker`: until it is told to stop. */
export async function worker(context: CliContext, flags: WorkerFlags): Promise<void> {
  const running = await beginWorker(context, flags, temporalSettings(context.env, flags));
  const stop = onSignal(context, running.shutdown);
  try {
    await running.done;
  } finally {
    stop();
  }
}

/** Starts a worker and says what it polls. */
export async function beginWorker(context: CliContext, flags: WorkerFlags, settings: TemporalSettings) {
  const { stdout, stderr, colors: c, errorColors: e, env, cwd } = context;
  const [plugins, store] = [await loadPlugins(context), await openStoreFor(context, flags)];
  const running = await startWorker({
    settings,
    plugins,
    store,
    env,
    queues: flags.queues,
    slots: flags.slots,
    outDir: resolve(cwd, flags.out ?? '.'),
    healthAddress: flags.health,
    metricsAddress: flags.metrics,
    log(level, message) {
      const time = new Date().toISOString().slice(11, 19);
      if (level === 'info') stdout.write(`${c.dim(time)} ${message}\n`);
      else stderr.write(`${e.dim(time)} ${e.yellow(level)} ${message}\n`);
    },
  });
  stdout.write(
    `${c.green('✓')} worker polls ${running.taskQueues.map((queue) => c.bold(queue)).join(', ')} at ${settings.address} (namespace ${settings.namespace})\n` +
      `  ${plugins.plugins.map(({ manifest }) => manifest.name).join(', ')} · store ${store.location} · workflow ${running.bundle.slice(0, 8)}\n`,
  );
  return running;
}

/** The first signal stops in order, the second at once. @returns what takes the handlers off again */
export function onSignal(context: CliContext, stop: () => void): () => void {
  let asked = false;
  const press = (): void => {
    if (asked) process.exit(EXIT.interrupted);
    asked = true;
    context.stderr.write('stopping: stages save checkpoints and are given back; again: stop at once\n');
    stop();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, press);
  return () => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, press);
  };
}
