import type { ChildProcess } from 'node:child_process';
import { HourglassError } from '@hourglass/core';
import { residentMemory } from './child-memory.ts';
import { forkModule } from './fork-module.ts';
import type { FromStageProcess, Job, ToStageProcess } from './messages.ts';

/** A child process that runs jobs, one at a time. */
export interface StageProcess {
  readonly pid: number;
  /** Last lines of what the process and its native libraries printed. */
  output(): string;
  send(message: ToStageProcess): void;
  /** One listener at a time: the job in hand. */
  listen(
    listener:
      { message(message: FromStageProcess): void; exit(code: number | null, signal: string | null): void } | undefined,
  ): void;
  kill(): void;
}

export interface StagePool {
  /** A warm process that suits the job, else a new one. */
  acquire(job: Pick<Job, 'module' | 'version'>, memoryMiB: number): Promise<StageProcess>;
  /** Back into the pool, or replaced when it failed, was cancelled or grew. */
  release(stageProcess: StageProcess, outcome: 'reusable' | 'replace'): void;
  /** Processes alive, idle and busy: for tests and `doctor`. */
  pids(): number[];
  close(): Promise<void>;
}

interface Member extends StageProcess {
  child: ChildProcess;
  /** Version of each module it loaded: modules are never unloaded, so another version needs another process. */
  versions: Map<string, string>;
}

/** How much of a process's output is kept for error messages. */
const OUTPUT_TAIL = 4096;
/** Time a new process has until it reports, tsx and a slow disk included. */
const START_TIMEOUT_MS = 60_000;
/** Tensor libraries keep their peak for ever; a process above this share of a job's limit starts that job at a disadvantage. */
const REUSE_BELOW_SHARE = 0.5;

/** Stage processes that are kept warm: starting Node from sources costs a third of a second, loading an engine as much again. */
export function stagePool(options: { maxIdle: number; env?: Record<string, string | undefined> }): StagePool {
  const idle: Member[] = [];
  const alive = new Set<Member>();
  let closed = false;

  const remove = (member: Member): void => {
    alive.delete(member);
    const index = idle.indexOf(member);
    if (index >= 0) idle.splice(index, 1);
  };

  return {
    async acquire({ module, version }, memoryMiB) {
      if (closed) throw new HourglassError('CANCELLED', 'The runner was closed.');
      const limit = memoryMiB * 2 ** 20 * REUSE_BELOW_SHARE;
      for (const member of [...idle].reverse()) {
        const loaded = member.versions.get(module);
        if (loaded !== undefined && loaded !== version) member.kill();
        else if ((residentMemory(member.pid) ?? 0) <= limit) {
          idle.splice(idle.indexOf(member), 1);
          member.versions.set(module, version);
          reference(member, true);
          return member;
        }
      }
      const member = await start(options.env ?? {}, remove);
      alive.add(member);
      member.versions.set(module, version);
      return member;
    },
    release(stageProcess, outcome) {
      const member = stageProcess as Member;
      member.listen(undefined);
      if (!alive.has(member)) return;
      if (closed || outcome === 'replace' || idle.length >= options.maxIdle) return member.kill();
      reference(member, false);
      idle.push(member);
    },
    pids: () => [...alive].map((member) => member.pid),
    async close() {
      closed = true;
      const ending = [...alive].map(
        (member) =>
          new Promise<void>((resolve) => {
            if (member.child.exitCode !== null || member.child.signalCode !== null) return resolve();
            reference(member, true);
            member.child.once('exit', () => resolve());
            member.kill();
          }),
      );
      await Promise.all(ending);
    },
  };
}

const ENTRY = new URL('./stage-process', import.meta.url);

/**
 * A process ignores Ctrl-C once its modules are loaded. One that the terminal's signal met before is started again: what
 * Ctrl-C means is decided by this process, and is no crash.
 */
async function start(...given: Parameters<typeof startOnce>): Promise<Member> {
  for (;;)
    try {
      return await startOnce(...given);
    } catch (error) {
      if ((error as HourglassError).details?.['signal'] !== 'SIGINT') throw error;
    }
}

async function startOnce(env: Record<string, string | undefined>, remove: (member: Member) => void): Promise<Member> {
  const child = forkModule(ENTRY, {
    ...process.env,
    // Several processes of one thread each are faster than one of several for nets of this size, and give the same bytes.
    OMP_NUM_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...env,
  });
  let tail = '';
  const keep = (chunk: Buffer): void => {
    tail = (tail + chunk.toString('utf8')).slice(-OUTPUT_TAIL);
  };
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  let listener: Parameters<StageProcess['listen']>[0];
  const member: Member = {
    child,
    pid: child.pid ?? -1,
    versions: new Map(),
    output: () => tail,
    send(message) {
      // A process that died just now reports through 'exit'.
      if (child.connected) child.send(message, () => {});
    },
    listen(next) {
      listener = next;
      if (next !== undefined) tail = '';
    },
    kill() {
      remove(member);
      child.kill('SIGKILL');
    },
  };
  await new Promise<void>((resolve, reject) => {
    const failed = (reason: string, signal?: NodeJS.Signals | null): void =>
      reject(
        new HourglassError('STAGE_CRASHED', `A stage process could not be started: ${reason}.\n${tail.trim()}`.trim(), {
          details: { output: tail, ...(signal ? { signal } : {}) },
        }),
      );
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      failed(`no answer within ${START_TIMEOUT_MS / 1000} s`);
    }, START_TIMEOUT_MS);
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      failed(`it ended with ${signal ?? `exit code ${code}`}`, signal);
    });
    child.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  child.removeAllListeners('exit');
  // After 'exit' the pipes may still hold the last words; 'close' comes when all is read.
  child.on('close', (code, signal) => {
    remove(member);
    listener?.exit(code, signal);
  });
  child.on('message', (message) => listener?.message(message as FromStageProcess));
  child.on('error', () => {}); // A failed send; 'close' follows.
  return member;
}

/** An idle process does not keep its parent alive. */
function reference(member: Member, keep: boolean): void {
  const handles = [member.child, member.child.channel, member.child.stdout, member.child.stderr] as unknown as {
    ref?(): void;
    unref?(): void;
  }[];
  for (const handle of handles)
    if (keep) handle?.ref?.();
    else handle?.unref?.();
}
