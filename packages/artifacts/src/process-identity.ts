import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

let tag: string | undefined;

/**
 * Names a process so that another one can tell whether it still lives: `HOST-PID-START`. The host part covers the pid
 * namespace, since containers share host names and number their processes alike; the start time covers reused pids.
 */
export const processIdentity = `${hostTag()}-${process.pid}-${startOf(process.pid) ?? 0}`;

/** `unknown` for processes of another host or container. */
export function isAlive(identity: string): boolean | 'unknown' {
  const [host, pid, start] = identity.split('-');
  if (host !== hostTag() || pid === undefined) return 'unknown';
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(Number(pid));
  return now === undefined || now === start;
}

function hostTag(): string {
  if (tag === undefined) {
    let namespace = '';
    try {
      namespace = readlinkSync('/proc/self/ns/pid');
    } catch {
      // Not Linux: the host name alone must do.
    }
    tag = createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
  }
  return tag;
}

/** Clock ticks between boot and the start of the process; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
