import { compact } from './compact.ts';
import { paramProblems } from './compile/params.ts';
import { HourglassError } from './error.ts';
import { INTERPRETER } from './plan.ts';
import type { Json, Plan } from './plan.ts';
import { initialStates } from './reduce/stage.ts';
import { findStagePlan, unknownStage, withDependants, withNeeded } from './select.ts';
import type { PinnedName, RunState } from './state.ts';

export interface BindOptions {
  runId: string;
  /** ISO 8601; a schedule's time, or when the run was asked for. */
  scheduledAt: string;
  /** @default the day of `scheduledAt` in the timezone of the schedule (UTC without one), `2026-11-24` */
  partition?: string;
  params?: Record<string, unknown>;
  /** @default the pipeline's */
  seed?: number;
  engine?: string;
  /** What `plan.names` resolve to, pinned for the whole run. */
  names?: Record<string, PinnedName>;
  /** Only these stages and what they need. */
  only?: readonly string[];
  /** These stages and all that follow are computed anew. */
  from?: readonly string[];
  /** Compute anew: everything, or these stages. */
  force?: boolean | readonly string[];
  /** Options changed for this run, by stage path. */
  overrides?: Record<string, Record<string, Json>>;
  /** Nobody can be asked (a scheduled run): `onFailure: wait` fails at once. @default false */
  unattended?: boolean;
}

/**
 * A run of a plan, before its first event.
 * @throws PARAM_INVALID with all mistakes of the params, NAME_NOT_FOUND, CALL_INVALID for stages that do not exist
 */
export function bind(plan: Plan, options: BindOptions): RunState {
  const given = compact(options.params ?? {});
  const problems = paramProblems(plan.params, given);
  if (problems.length > 0) {
    const lines = problems.map(
      ({ message, suggestion }) => `  - ${message}${suggestion ? ` (did you mean \`${suggestion}\`?)` : ''}`,
    );
    const declared = Object.entries(plan.params).map(([name, param]) => `${name} (${param.type})`);
    throw new HourglassError(
      'PARAM_INVALID',
      `The params of ${plan.name} do not fit:\n${lines.join('\n')}\nDeclared: ${declared.join(', ') || 'none'}.`,
      { details: { problems } },
    );
  }
  const names = options.names ?? {};
  const absent = plan.names.filter(({ name, optional }) => !optional && !Object.hasOwn(names, name));
  if (absent.length > 0)
    throw new HourglassError(
      'NAME_NOT_FOUND',
      `${plan.name} reads ${absent.map(({ name }) => `\`${name}\``).join(', ')}, which is not published.`,
    );
  for (const path of Object.keys(options.overrides ?? {}))
    if (!findStagePlan(plan, path)) throw unknownStage(plan, path);
  const params: Record<string, Json> = {};
  for (const [name, param] of Object.entries(plan.params))
    params[name] = (Object.hasOwn(given, name) ? given[name] : param.default) as Json;
  const at = new Date(options.scheduledAt);
  if (Number.isNaN(at.getTime()))
    throw new HourglassError(
      'CALL_INVALID',
      `\`${options.scheduledAt}\` is not a time: expected ISO 8601, for example 2026-11-24T03:00:00Z.`,
    );
  const scheduledAt = at.toISOString();
  const force = new Set<string>(Array.isArray(options.force) ? withInside(plan, options.force as string[]) : []);
  for (const path of options.from ? withDependants(plan, options.from) : []) force.add(path);
  return {
    interpreter: INTERPRETER,
    pipeline: plan.name,
    run: { id: options.runId, scheduledAt, partition: options.partition ?? dayOf(at, plan.schedule?.timezone) },
    seed: options.seed ?? plan.seed,
    engine: options.engine ?? plan.engine,
    params,
    names: Object.fromEntries(
      plan.names.flatMap(({ name }) => (Object.hasOwn(names, name) ? [[name, names[name]!]] : [])),
    ),
    ...(options.only ? { only: withNeeded(plan, options.only) } : {}),
    force: options.force === true ? true : [...force],
    unattended: options.unattended ?? false,
    overrides: options.overrides ?? {},
    status: 'new',
    paused: false,
    cancelled: false,
    sequence: 0,
    stages: initialStates(plan.stages),
    open: plan.stages.length,
    published: {},
  };
}

/** The day of a run where its schedule is at home: at half past midnight in Berlin it is still yesterday in UTC. */
export function dayOf(time: Date, timeZone = 'UTC'): string {
  return time.toLocaleDateString('sv-SE', { timeZone });
}

function withInside(plan: Plan, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const found = findStagePlan(plan, path);
    if (!found) throw unknownStage(plan, path);
    return found.stage.group
      ? [
          path,
          ...withInside(
            plan,
            found.stage.group.stages.map((stage) => `${path}.${stage.id}`),
          ),
        ]
      : [path];
  });
}
