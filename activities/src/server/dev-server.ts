import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { SEARCH_ATTRIBUTES } from '@hourglass/workflows';
import { Connection } from '@temporalio/client';
import { endWithUs } from './end-with-us.ts';
import { findTemporalCli } from './find-temporal-cli.ts';
import { lockDatabase } from './lock-database.ts';
import { freePort, refuseBusyPort } from './ports.ts';

export interface DevServerOptions {
  env: Record<string, string | undefined>;
  /** @default a free one */
  port?: number;
  /** Of the UI. @default port + 1000 */
  uiPort?: number;
  /** Without the UI. @default false */
  headless?: boolean;
  /** Keeps everything over restarts. @default in memory */
  databaseFile?: string;
  namespace?: string;
  say?: (message: string) => void;
}

export interface DevServer {
  address: string;
  ui?: string;
  pid: number;
  /** Resolves when the process has ended, with the end of what it printed. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
/** Windows has no sessions, and no shell to watch with. */
const SESSIONS = process.platform !== 'win32';

/**
 * Starts Temporal's development server with our search attributes and waits until it serves.
 * @throws CALL_INVALID when there is no server to start, or another one has its port or its database
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { databaseFile, headless, namespace = 'default' } = options;
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (options.port === undefined ? await freePort() : port + 1000);
  const there = `hourglass worker --address 127.0.0.1:${port}`;
  await refuseBusyPort(
    port,
    '--port',
    `Choose another; where a Temporal server listens, start a worker for it: ${there}`,
  );
  if (!headless) await refuseBusyPort(uiPort, '--ui-port', 'Choose another for the UI.');
  const cli = await findTemporalCli(options.env, options.say);
  if (cli === 'download')
    throw new HourglassError(
      'CALL_INVALID',
      'No Temporal server can be started here: there is no `temporal` program, and it cannot be fetched. Install it (https://docs.temporal.io/cli) and put it on the PATH or name it in TEMPORAL_CLI_PATH, or use a server that runs: TEMPORAL_ADDRESS.',
    );
  if (databaseFile !== undefined) await mkdir(dirname(databaseFile), { recursive: true });
  const unlock = databaseFile === undefined ? undefined : await lockDatabase(databaseFile);
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const child = spawn(
    cli.path,
    [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace],
      ...(headless ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
      ...(databaseFile === undefined ? [] : ['--db-filename', databaseFile]),
      ...['--log-level', 'error', ...attributes],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env as NodeJS.ProcessEnv,
      // Ctrl-C reaches the whole group of a terminal: a server that ends by it cannot take stages back from a worker.
      detached: SESSIONS,
    },
  );
  const dismiss = SESSIONS && child.pid !== undefined ? endWithUs(child.pid) : undefined;
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4000)));
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', () => {
      dismiss?.();
      resolve(output.trim());
    });
  }).finally(unlock);
  const address = `127.0.0.1:${port}`;
  const gone = ended.then((said) => {
    throw new HourglassError(
      'CALL_INVALID',
      `The Temporal server (${cli.path}) ended at once: ${said || 'it said nothing'}.`,
    );
  });
  gone.catch(() => undefined);
  try {
    await Promise.race([untilServing(address, namespace), gone]);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
  return {
    address,
    ...(headless ? {} : { ui: `http://127.0.0.1:${uiPort}` }),
    pid: child.pid!,
    ended,
    stop: () => stopped(child, ended),
  };
}

async function stopped(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

/** Serving means: the namespace can be described. */
async function untilServing(address: string, namespace: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  for (;;)
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (Date.now() > until)
        throw new HourglassError(
          'CALL_INVALID',
          `The Temporal server at ${address} did not serve within ${READY_WITHIN_MS / 1000} s.`,
          {
            cause: error,
          },
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
