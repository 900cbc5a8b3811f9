import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Resident memory of a process in bytes; undefined when it is gone or the system does not say. */
export function residentMemory(pid: number): number | undefined {
  try {
    if (process.platform === 'linux') {
      const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
    }
    if (process.platform === 'win32') return undefined;
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
  } catch {
    return undefined;
  }
}

/** How often memory is looked at: a read of /proc costs microseconds, starting `ps` milliseconds. */
export const MEMORY_POLL_MS = process.platform === 'linux' ? 200 : 2000;
