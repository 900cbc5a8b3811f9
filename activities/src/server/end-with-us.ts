import { spawn } from 'node:child_process';

/**
 * Sees that a process of a session of its own ends when this one does, by whatever signal: a shell waits for the end of its
 * input, which is when this process is gone, and kills the other.
 * @returns what dismisses the shell, for when the process has ended: its number may be another's then
 */
export function endWithUs(pid: number): () => void {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell the process ends as far as `stop` is called.
  watcher.once('error', () => undefined);
  watcher.unref();
  return () => void watcher.kill('SIGKILL');
}
