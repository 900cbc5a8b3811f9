import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { s3Client } from '../s3/client.ts';
import { s3Settings } from '../s3/settings.ts';
import { versitygw } from './versitygw.ts';

/** A real S3 server of this machine, for tests. */
export interface S3TestServer {
  readonly endpoint: string;
  /** The folder whose subfolders are the buckets: for looking at, and damaging, what is stored. */
  readonly folder: string;
  /** Variables that let a process use it, through `endpoint` or a proxy before it. */
  env(endpoint?: string): Record<string, string>;
  makeBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** @returns undefined, having said so, where no server is to be had (an error with CI=true) */
export async function s3TestServer(): Promise<S3TestServer | undefined> {
  const program = await versitygw();
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-s3-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(program, ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', folder], {
    env: { ...process.env, ROOT_ACCESS_KEY: 'hourglass-test', ROOT_SECRET_KEY: 'not-a-secret' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const env = (through = endpoint): Record<string, string> => ({
    AWS_ACCESS_KEY_ID: 'hourglass-test',
    AWS_SECRET_ACCESS_KEY: 'not-a-secret',
    AWS_ENDPOINT_URL_S3: through,
    AWS_REGION: 'us-east-1',
  });
  for (let attempt = 0; ; attempt++) {
    if (child.exitCode !== null || attempt > 200) throw new Error(`versitygw did not start: ${said}`);
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (up) break;
    await sleep(50);
  }
  return {
    endpoint,
    folder,
    env,
    async makeBucket(name) {
      await s3Client(s3Settings(env()), name).send({ method: 'PUT', key: '' });
    },
    async stop() {
      process.removeListener('exit', killWithUs);
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
