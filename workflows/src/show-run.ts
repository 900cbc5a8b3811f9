import type { Plan, RunEvent, RunState, StagePlan } from '@hourglass/core/interpreter';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ContinuedRun, SEARCH_ATTRIBUTES } from './contract.ts';
import { runDetails, statusLine } from './run-details.ts';
import { stageRows, type StageRow } from './stage-rows.ts';

/** Parts of a fan-out settle by the hundred: the table is drawn anew at every so many. */
const EVENTS_A_DRAWING = 25;

type Shown = Partial<Record<keyof typeof SEARCH_ATTRIBUTES, string | string[] | number>>;

/** Keeps what the Temporal UI shows of a run up to date: current details and search attributes. */
export function showRun(run: ContinuedRun, searchable: boolean): (event?: RunEvent) => void {
  let shown: Shown = {};
  let drawn = '';
  let events = 0;
  return (event) => {
    const { plan, state, notes } = run;
    const rows = stageRows(plan, state);
    const now = attributesOf(run, rows);
    const signature = `${rows.map(({ status }) => status).join()} ${String(now.HourglassStatus)}`;
    if (signature !== drawn || event === undefined || ++events % EVENTS_A_DRAWING === 0) {
      drawn = signature;
      setCurrentDetails(runDetails(plan, state, notes));
    }
    if (!searchable) return;
    const changed = Object.entries(now).filter(([name, value]) => String(shown[name as keyof Shown]) !== String(value));
    shown = now;
    if (changed.length > 0)
      upsertSearchAttributes(
        Object.fromEntries(changed.map(([name, value]) => [name, Array.isArray(value) ? value : [value!]])) as Record<
          string,
          string[] | number[]
        >,
      );
  };
}

function attributesOf({ plan, state, dataset }: ContinuedRun, rows: StageRow[]): Shown {
  const active = rows.filter(({ status }) => /^(running|starting|waits|held)/.test(status));
  const metric = keyMetric(plan, state);
  return {
    HourglassPipeline: plan.name,
    HourglassPartition: state.run.partition,
    HourglassStatus: statusLine(state).replace(/ \(.*/, ''),
    HourglassStage: active.map(({ path }) => path),
    HourglassPlugin: pluginsOf(plan.stages),
    ...(dataset === undefined ? {} : { HourglassDataset: dataset }),
    ...(metric === undefined ? {} : { HourglassMetric: metric }),
  };
}

function pluginsOf(stages: readonly StagePlan[]): string[] {
  const names = stages.flatMap(({ uses, group }) =>
    uses ? [uses.split('/')[0]!] : group ? pluginsOf(group.stages) : [],
  );
  return [...new Set(names)].sort();
}

/** The number a gate or a selection looked at: the first metric kept of the last stage that has one. */
function keyMetric(plan: Plan, state: RunState): number | undefined {
  for (const { id } of [...plan.stages].reverse()) {
    const found = firstNumber(Object.values(state.stages[id]?.metrics ?? {}));
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const inner of Object.values(value)) {
    const found = firstNumber(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
