import { setTimeout as sleep } from 'node:timers/promises';
import { readTemporalRun, recordOf, type TemporalRun } from '@hourglass/activities/client';
import type { Store } from '@hourglass/artifacts';
import type { CliContext } from '../context.ts';
import { isInteractive } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { jsonView } from '../output/json-view.ts';
import { liveView } from '../output/live-view.ts';
import { plainView } from '../output/plain-view.ts';
import type { RunView } from '../output/run-view.ts';
import { writeJsonSummary, writeSummary } from '../output/summary.ts';
import type { TemporalClient } from './with-client.ts';

const LOOK_EVERY_MS = 500;

export interface FollowOptions {
  store: Store;
  json?: boolean;
  plain?: boolean;
  again: string;
}

/** Shows a run on the server as it goes, like one of this machine, until it ends. @returns the exit code */
export async function followRun(
  context: CliContext,
  client: TemporalClient,
  workflowId: string,
  options: FollowOptions,
): Promise<number> {
  const live = !options.json && !options.plain && isInteractive(context);
  let view: RunView | undefined;
  const warned = new Set<string>();
  const show = ({ view: seen, progress }: TemporalRun): void => {
    if (!seen?.state || !seen.prepared) return;
    const { plan, baseDir } = seen.prepared;
    const head = { plan, runId: workflowId, resumed: false, file: `${baseDir}/${seen.request.source.file}` };
    view ??= options.json ? jsonView(context, head) : live ? liveView(context, head) : plainView(context, head);
    view.update(seen.state);
    for (const event of progress) if (event.details?.message) view.progress(event);
    for (const { path, message, at } of seen.notes.warnings) {
      if (warned.has(`${path} ${at} ${message}`)) continue;
      warned.add(`${path} ${at} ${message}`);
      view.log({ path, level: 'warn', message });
    }
  };
  let run: TemporalRun;
  for (;;) {
    run = await readTemporalRun(client, workflowId);
    show(run);
    if (run.execution !== 'RUNNING') break;
    await sleep(LOOK_EVERY_MS);
  }
  view?.close();
  const record = recordOf(run);
  const exitCode = exitCodeOfExecution(run);
  const facts = { context, store: options.store, record, again: options.again, exitCode };
  await (options.json ? writeJsonSummary(facts) : writeSummary({ ...facts, seen: live }));
  return exitCode;
}

function exitCodeOfExecution({ execution, view }: TemporalRun): number {
  if (execution === 'COMPLETED') return EXIT.ok;
  if (execution === 'CANCELLED' || execution === 'TERMINATED') return EXIT.interrupted;
  const code = view?.state?.error?.code;
  return code === 'GATE_FAILED' || code === 'APPROVAL_REJECTED' ? EXIT.refused : EXIT.failed;
}
