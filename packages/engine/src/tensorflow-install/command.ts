import { spawn } from 'node:child_process';

import { HourglassError } from '@hourglass/core';

/** Runs a program to its end. @returns its standard output @throws ENGINE_UNAVAILABLE with the tail of what it said and the remedy */
export async function command(
  program: string,
  args: string[],
  options: { cwd?: string; remedy: string; signal?: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: options.cwd, signal: options.signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk) => ((out += chunk), (said = (said + chunk).slice(-4000))));
    child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-4000)));
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'it is not installed' : cause.message;
      reject(
        options.signal?.aborted
          ? new HourglassError('CANCELLED', `${program} was cancelled.`)
          : new HourglassError('ENGINE_UNAVAILABLE', `Cannot run ${program}: ${why}. ${options.remedy}`, { cause }),
      );
    });
    child.on('close', (code) => {
      if (code === 0) return resolve(out);
      const tail = said.trim().split('\n').slice(-12).join('\n  ');
      reject(
        new HourglassError('ENGINE_UNAVAILABLE', `${program} failed:\n  ${tail}\n${options.remedy}`, {
          details: { program, code },
        }),
      );
    });
  });
}
