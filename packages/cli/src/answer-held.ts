import type { Store } from '@hourglass/artifacts';
import { type Answer, HourglassError, type Json, refuseEvent, type RunEvent } from '@hourglass/core';
import { stageRows, type RunRecord } from '@hourglass/runtime';
import type { CliContext } from './context.ts';
import { currentUser } from './current-user.ts';
import { leaveAnswer } from './inbox.ts';
import type { OptionChange } from './option-change.ts';

export type HeldAnswer = Extract<Answer, { type: 'skip-stage' | 'retry-stage' }>;

/**
 * `hourglass retry` of a run that is under way: its stages that failed and are held open (`onFailure: wait`) are tried
 * again, with options changed, or skipped. The process that drives the run takes it from there.
 * @throws RUN_STATE when no stage of the run is held, or another one is named
 */
export async function answerHeld(
  context: CliContext,
  store: Store,
  record: RunRecord,
  changes: readonly OptionChange[],
  { skip = [], json }: { skip?: readonly string[]; json?: boolean },
): Promise<void> {
  const held = stageRows(record.plan, record.state)
    .filter(({ status }) => status === 'held')
    .map(({ path }) => path);
  const answers = answersFor(record.id, held, changes, skip, currentUser());
  for (const answer of answers) {
    const refusal = refuseEvent(record.plan, record.state, { ...answer, at: Date.now() } as RunEvent);
    if (refusal) throw refusal;
  }
  for (const answer of answers) await leaveAnswer(store, record.id, answer);
  const { stdout, colors: c } = context;
  for (const answer of answers)
    stdout.write(
      json
        ? `${JSON.stringify({ runId: record.id, ...answer })}\n`
        : `${c.green('✓')} ${answer.path} of ${record.id}: ${answer.type === 'skip-stage' ? 'skipped' : 'tried again where the run is under way'}\n`,
    );
}

/**
 * What to tell a run whose stages are held open: by default all are tried again.
 * @throws RUN_STATE when none is, or another one is named
 */
export function answersFor(
  runId: string,
  held: readonly string[],
  changes: readonly OptionChange[],
  skip: readonly string[] = [],
  by: string,
): HeldAnswer[] {
  if (held.length === 0)
    throw new HourglassError(
      'RUN_STATE',
      `Run ${runId} is still running, and no stage of it is held open after a failure.`,
      { remedy: 'Stop it first (Ctrl-C where it runs; `hourglass cancel`, on a server), or wait for its end.' },
    );
  const options = new Map<string, Record<string, Json>>();
  for (const { stage, option, value } of changes) {
    const path = held.find((one) => stage === one || stage.startsWith(`${one}.`));
    if (path === undefined)
      throw new HourglassError(
        'RUN_STATE',
        `Run ${runId} is still running: --with can change ${held.join(', ')}, which failed and is held open, not ${stage}.`,
        { remedy: 'Name an option of those, or wait for the end of the run.' },
      );
    const name = stage === path ? option : `${stage.slice(path.length + 1)}.${option}`;
    options.set(path, { ...options.get(path), [name]: value });
  }
  const again = options.size > 0 ? [...options.keys()] : skip.length > 0 ? [] : held;
  return [
    ...skip.map((path): HeldAnswer => ({ type: 'skip-stage', path, by })),
    ...again.map((path): HeldAnswer => ({ type: 'retry-stage', path, options: options.get(path) ?? {}, by })),
  ];
}
