import { join } from 'node:path';
import { isUri, resolveStoreLocation } from '@hourglass/artifacts';
import { startDevServer, temporalSettings } from '@hourglass/activities';
import type { CliContext } from '../../context.ts';
import { EXIT } from '../../exit-code.ts';
import type { ProgramState } from '../../program.ts';
import { beginWorker, onSignal, type WorkerFlags } from './worker.ts';

export interface DevFlags extends WorkerFlags {
  port?: number;
  uiPort?: number;
  db?: string;
}

/** `hourglass dev`: server, UI and a worker, until Ctrl-C. A server that ends by itself is a failure. */
export async function dev(context: CliContext, state: ProgramState, flags: DevFlags): Promise<void> {
  const { stdout, colors: c, env, cwd } = context;
  const store = resolveStoreLocation({ flag: flags.store, env, cwd });
  const port = flags.port ?? 7233;
  const folder = isUri(store) ? join(cwd, '.hourglass') : store;
  const server = await startDevServer({
    env,
    port,
    uiPort: flags.uiPort,
    namespace: temporalSettings(env, flags).namespace,
    databaseFile: flags.db ?? join(folder, 'temporal', 'dev.db'),
    say: (message) => stdout.write(`  ${c.dim(message)}\n`),
  });
  stdout.write(`${c.green('✓')} Temporal at ${c.bold(server.address)} · UI ${c.bold(server.ui!)}\n`);
  // Until the server has stopped too: the second Ctrl-C ends that as well.
  let stop: (() => void) | undefined;
  let failure: unknown;
  try {
    const settings = temporalSettings(env, { ...flags, address: server.address });
    const running = await beginWorker(context, flags, settings);
    const elsewhere = server.address === '127.0.0.1:7233' ? '' : `TEMPORAL_ADDRESS=${server.address} `;
    stdout.write(`  ${c.cyan('→')} ${elsewhere}hourglass submit FILE --wait · Ctrl-C stops all\n`);
    let stopping = false;
    stop = onSignal(context, () => {
      stopping = true;
      running.shutdown();
    });
    void server.ended.then((said) => {
      if (stopping) return;
      context.stderr.write(`the Temporal server ended by itself: ${said || 'it said nothing'}\n`);
      state.exitCode = EXIT.failed;
      running.shutdown();
    });
    await running.done;
  } catch (error) {
    failure = error;
  }
  await server.stop();
  stop?.();
  if (failure !== undefined) throw failure;
}
