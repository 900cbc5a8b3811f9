import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Global set-up of the projects whose tests need a Temporal server: the first to be set up starts one, the last to go stops
 * it. A program of its own starts it, since a set-up does not resolve the workspace's sources.
 *
 * @param {import('vitest/node').TestProject} project
 */
export default async function setup(project) {
  const given = process.env.TEMPORAL_ADDRESS;
  if (given) {
    project.provide('temporal', given);
    return undefined;
  }
  const entry = (globalThis.hourglassServer ??= { started: start(), users: 0 });
  entry.users++;
  const { child, address } = await entry.started;
  project.provide('temporal', address);
  return async () => {
    if (--entry.users > 0) return;
    delete globalThis.hourglassServer;
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
}

async function start() {
  const script = fileURLToPath(new URL('./serve.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@hourglass/source', '--import', 'tsx', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('address ')) return { child, address: line.slice(8) };
    console.info(line);
  }
  throw new Error('No Temporal server could be started for the tests; see the lines above.');
}
