import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { HourglassError } from '@hourglass/core';

export interface Child {
  pid: number;
  /** Milliseconds from its start until it said that it is ready. */
  readyMs: number;
  /** MiB in memory now, and at the most so far; of the process itself. */
  memory(): { now: number; most: number };
  stop(): Promise<void>;
}

/** Starts a program of Node and waits until it prints `ready`. */
export async function startChild(
  args: string[],
  { cwd, env, ready }: { cwd: string; env: Record<string, string | undefined>; ready: string },
): Promise<Child> {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-20_000);
        if (said.includes(ready)) resolve();
      });
    void ended.then(() => reject(new HourglassError('INTERNAL', `${args.join(' ')} ended:\n${said}`)));
  });
  const readyMs = performance.now() - start;
  const status = (field: string): number => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    return Math.round(Number(found?.[1] ?? NaN) / 1024);
  };
  return {
    pid: child.pid!,
    readyMs,
    memory: () => ({ now: status('VmRSS'), most: status('VmHWM') }),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
