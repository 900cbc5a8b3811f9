import { join } from 'node:path';
import type { Store } from '@hourglass/artifacts';
import { advance, isClosed, type Plan, type RunState, type StageTask } from '@hourglass/core';
import { listOwnRuns, readOwnLog, runsFolder } from './run-folder.ts';
import { lockFolder } from './folder-lock.ts';
import type { RunHeader } from './run-record.ts';
import type { Runner } from './runner.ts';

/**
 * The newest interrupted run of the same work, locked for this process, and the state to go on from. A run is only
 * continued while everything it already found still holds: had a source or the code changed meanwhile, its finished
 * stages would be stale, and a new run finds what still holds in the cache anyway. For the same reason a run is continued
 * on its own machine only: anywhere else, finished stages are hits and trainings continue from their checkpoints.
 */
export async function resumable(
  { plan, store, runner }: { plan: Plan; store: Store; runner: Runner },
  identity: string,
): Promise<{ header: RunHeader; state: RunState; unlock: () => Promise<void> } | undefined> {
  for (const header of await listOwnRuns(store)) {
    if (header.identity !== identity) continue;
    if (header.status !== 'interrupted' && header.status !== 'waiting') return undefined;
    const path = join(runsFolder(store), header.id);
    const unlock = await lockFolder(path);
    if (unlock === undefined) return undefined;
    const folded = await fold(plan, path);
    const place = { pipeline: plan.name, runId: header.id, baseDir: header.baseDir, outDir: header.outDir };
    if (folded !== undefined && !isClosed(folded.state) && (await stillHolds(folded, runner, place)))
      return { header, state: folded.state, unlock };
    await unlock();
    return undefined;
  }
  return undefined;
}

interface Folded {
  state: RunState;
  /** Every task looked up, with the key it was looked up by and whether it has a result. */
  tasks: Map<string, { task: StageTask; key: string; done: boolean }>;
}

async function fold(plan: Plan, path: string): Promise<Folded | undefined> {
  const log = await readOwnLog(path).catch(() => undefined);
  if (log === undefined) return undefined;
  let state = log.start;
  const tasks: Folded['tasks'] = new Map();
  for (const line of log.lines) {
    if (!('event' in line)) continue;
    const { event } = line;
    const advanced = advance(plan, state, event);
    state = advanced.state;
    for (const command of advanced.commands)
      if (command.type === 'lookup')
        for (const task of command.tasks) tasks.set(task.path, { task, key: '', done: false });
    if (event.type === 'looked-up')
      for (const { path: at, answer } of event.answers)
        Object.assign(tasks.get(at) ?? {}, { key: answer.key, done: answer.status === 'hit' });
    if (event.type === 'finished') Object.assign(tasks.get(event.path) ?? {}, { done: true });
  }
  return { state, tasks };
}

async function stillHolds({ tasks }: Folded, runner: Runner, place: Parameters<Runner['lookup']>[1]): Promise<boolean> {
  const known = [...tasks.values()].filter(({ key }) => key !== '');
  const answers = await runner.lookup(
    known.map(({ task }) => task),
    place,
  );
  return known.every(({ task, key, done }, i) => {
    const answer = answers[i]!;
    return answer.key === key && (!done || !task.cache || answer.status === 'hit');
  });
}
