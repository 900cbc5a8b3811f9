import {
  advance,
  bind,
  type BindOptions,
  type ErrorJson,
  HourglassError,
  isClosed,
  type Plan,
  type RunEvent,
  type RunState,
  stagePathOf,
  type StagePlan,
  type StageState,
} from '@hourglass/core';
import type { Store } from '@hourglass/artifacts';
import { collect, listParts } from './collections.ts';
import { pinnedNames } from './local-host.ts';
import type { Runner } from './runner.ts';

/** What running a stage now would mean. */
export interface PlannedStage {
  /** `train`, `regions.train`. */
  path: string;
  title?: string;
  uses?: string;
  status: 'HIT' | 'RUN' | 'UNKNOWN' | 'SKIPPED' | 'FAILED';
  /** One line for people: `option epochs: 200 → 300`, `waits for train`. */
  reason: string;
  /** It would fail with this at once. */
  problem?: ErrorJson;
  /** Items of a fan-out looked at so far: how many are cached. */
  items?: { hit: number; run: number };
}

/**
 * Says per stage what a run would do, without running anything: cached results are fed forward through the reducer, and
 * what follows from a stage that must run is unknown until then.
 */
export async function planPipeline(
  options: Omit<BindOptions, 'runId' | 'scheduledAt' | 'names'> & {
    plan: Plan;
    store: Store;
    runner: Pick<Runner, 'lookup'>;
    baseDir: string;
    outDir: string;
    scheduledAt?: string;
  },
): Promise<PlannedStage[]> {
  const { plan, store, runner, baseDir, outDir, scheduledAt = new Date().toISOString(), ...rest } = options;
  const runId = 'plan';
  let state = bind(plan, { ...rest, runId, scheduledAt, names: await pinnedNames(plan, store) });
  const place = { pipeline: plan.name, runId, baseDir, outDir };
  const found = new Map<string, { hit: number; run: number; reason?: string; problem?: ErrorJson }>();
  const note = (path: string): { hit: number; run: number; reason?: string; problem?: ErrorJson } => {
    const key = stagePathOf(path);
    const entry = found.get(key) ?? { hit: 0, run: 0 };
    found.set(key, entry);
    return entry;
  };
  const pending: RunEvent[] = [{ type: 'start', at: Date.now() }];
  for (let event = pending.shift(); event !== undefined; event = pending.shift()) {
    const advanced = advance(plan, state, event);
    state = advanced.state;
    const at = Date.now();
    for (const command of advanced.commands) {
      if (command.type === 'lookup') {
        const answers = await runner.lookup(command.tasks, place);
        for (const [i, answer] of answers.entries()) {
          const entry = note(command.tasks[i]!.path);
          if (answer.status === 'hit') entry.hit++;
          else {
            entry.run++;
            entry.reason ??= answer.reason;
            entry.problem ??= answer.problem;
          }
        }
        // A task that would fail at once is shown as such, not failed: the others are still to be looked at.
        const answered = answers.map((answer, i) => ({
          path: command.tasks[i]!.path,
          answer: { ...answer, problem: undefined },
        }));
        pending.push({ type: 'looked-up', at, answers: answered });
      } else if (command.type === 'run') {
        const entry = note(command.task.path);
        if (entry.run === 0) Object.assign(entry, { run: 1, reason: command.task.cache ? 'forced' : 'cache: false' });
      } else if (command.type === 'list') {
        const { path, ref, offset, limit } = command;
        const event = await listParts(store.artifacts, ref, offset, limit).then(
          (listed): RunEvent => ({ type: 'listed', at, path, offset, ...listed }),
          (error: unknown): RunEvent => ({ type: 'list-failed', at, path, error: HourglassError.from(error).toJSON() }),
        );
        pending.push(event);
      } else if (command.type === 'collect') {
        const { path, page } = command;
        const outputs: Record<string, Awaited<ReturnType<typeof collect>>> = {};
        try {
          for (const [name, { kind, entries, missing }] of Object.entries(command.outputs))
            outputs[name] = await collect(store.artifacts, kind, entries, missing);
          pending.push({ type: 'collected', at, path, page, outputs });
        } catch (error) {
          pending.push({ type: 'collect-failed', at, path, error: HourglassError.from(error).toJSON() });
        }
      }
    }
    if (isClosed(state)) break;
  }
  return describe(plan.stages, state.stages, '');

  function describe(stages: readonly StagePlan[], states: Record<string, StageState>, prefix: string): PlannedStage[] {
    return stages.flatMap((stage): PlannedStage[] => {
      const path = prefix + stage.id;
      const own: PlannedStage = {
        path,
        ...(stage.title ? { title: stage.title } : {}),
        ...(stage.uses ? { uses: stage.uses } : {}),
        ...statusOf(stage, states[stage.id], path),
      };
      const entry = found.get(path);
      if (stage.fanOut && entry) own.items = { hit: entry.hit, run: entry.run };
      const inner = stage.group ? describe(stage.group.stages, states[stage.id]?.body?.stages ?? {}, `${path}.`) : [];
      // What is known of the stages within says what the group does, where the reducer did not get that far.
      const first = inner.find(({ status }) => status === 'RUN');
      if (own.status === 'UNKNOWN' && states[stage.id]?.status !== 'approval') {
        if (first)
          Object.assign(own, { status: 'RUN', reason: `${first.path.slice(path.length + 1)}: ${first.reason}` });
        else if (inner.length > 0 && inner.every(({ status }) => status === 'HIT'))
          Object.assign(own, { status: 'HIT', reason: 'cached' });
      }
      return [own, ...inner];
    });
  }

  function statusOf(
    stage: StagePlan,
    at: StageState | undefined,
    path: string,
  ): Pick<PlannedStage, 'status' | 'reason' | 'problem'> {
    const entry = found.get(path);
    if (entry?.problem) return { status: 'RUN', reason: entry.problem.message, problem: entry.problem };
    if (entry && entry.run > 0) return { status: 'RUN', reason: entry.reason ?? 'no result yet' };
    if (at?.status === 'done') return { status: 'HIT', reason: 'cached' };
    if (at?.status === 'failed')
      return {
        status: 'FAILED',
        reason: at.error?.message ?? at.note ?? 'it fails',
        ...(at.error ? { problem: at.error } : {}),
      };
    if (at?.status === 'skipped') return { status: 'SKIPPED', reason: at.note ?? 'when is false' };
    if (at?.status === 'blocked') return { status: 'UNKNOWN', reason: at.note ?? 'something it needs fails' };
    if (at?.status === 'approval') return { status: 'UNKNOWN', reason: 'asks a person' };
    const waits = stage.needs.filter((need) => !isDone(path, need));
    if (entry && entry.hit > 0) return { status: 'HIT', reason: 'cached' };
    return { status: 'UNKNOWN', reason: waits.length > 0 ? `waits for ${waits.join(', ')}` : 'waits for its stages' };
  }

  function isDone(path: string, need: string): boolean {
    const sibling = path.slice(0, path.lastIndexOf('.') + 1) + need;
    const level = sibling.includes('.') ? undefined : (state as RunState).stages[need];
    return level === undefined ? false : ['done', 'skipped'].includes(level.status);
  }
}
