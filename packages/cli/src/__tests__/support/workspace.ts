import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runCommand } from '../../index.ts';

const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const bin = join(packageRoot, 'bin/hourglass.mjs');

export interface Called {
  code: number;
  out: string;
  err: string;
}

export interface Workspace {
  dir: string;
  write(name: string, text: string): string;
  /** The command in this process, its output caught. */
  call(argv: string[], options?: { env?: Record<string, string>; columns?: number }): Promise<Called>;
  /** The command as one starts it. */
  start(argv: string[], env?: Record<string, string>): Started;
  remove(): void;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Called>;
  /** Resolves when the output so far holds the text. */
  until(text: string): Promise<void>;
  /** Standard output so far. */
  seen(): string;
}

/** A folder of one's own in which the toy plugin is installed. */
export function makeWorkspace(files: Record<string, string> = {}): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'hourglass-cli-'));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(join(packageRoot, 'fixtures/plugin-toy'), join(dir, 'node_modules/hourglass-plugin-toy'));
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    dir,
    write,
    async call(argv, { env = {}, columns } = {}) {
      const called = { out: '', err: '' };
      const context = createContext({
        stdout: { write: (text) => (called.out += text), columns },
        stderr: { write: (text) => (called.err += text), columns },
        env: { PATH: process.env.PATH, ...env },
        cwd: dir,
      });
      return { code: await runCommand(argv, context), ...called };
    },
    start(argv, env = {}) {
      const child = spawn(process.execPath, [bin, ...argv], {
        cwd: dir,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        // A process group of its own, so that a signal reaches what a terminal's Ctrl-C would.
        detached: true,
      });
      const called = { out: '', err: '' };
      const watchers = new Set<() => void>();
      for (const [name, stream] of [
        ['out', child.stdout],
        ['err', child.stderr],
      ] as const)
        stream!.setEncoding('utf8').on('data', (text: string) => {
          called[name] += text;
          for (const watch of watchers) watch();
        });
      const ended = new Promise<Called>((resolve) =>
        child.on('close', (code, signal) => {
          resolve({ code: code ?? -1, ...called, err: called.err + (signal ? `\n(${signal})` : '') });
          for (const watch of watchers) watch();
        }),
      );
      return {
        child,
        ended,
        seen: () => called.out,
        until: (text) =>
          new Promise((resolve, reject) => {
            const watch = (): void => {
              if (called.out.includes(text)) resolve();
              else if (child.exitCode === null && child.signalCode === null) return;
              else reject(new Error(`ended before "${text}" came:\n${called.out}\n${called.err}`));
              watchers.delete(watch);
            };
            watchers.add(watch);
            watch();
          }),
      };
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A pipeline of toy stages. */
export function toyPipeline(stages: string, head = ''): string {
  return `hourglass: v1\nname: toy\n${head}stages:\n${stages}`;
}
