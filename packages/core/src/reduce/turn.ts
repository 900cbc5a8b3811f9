import type { RunCommand } from '../event.ts';
import type { ArtifactRef } from '../artifact.ts';
import type { Json, ParamPlan, Plan, StagePlan } from '../plan.ts';
import type { BodyState, RunState, StageState } from '../state.ts';
import type { StageTask } from '../task.ts';
import { encodeKey, parsePath } from './path.ts';

/** One application of one event: the state being written and the commands it leads to. */
export interface Turn {
  plan: Plan;
  state: RunState;
  at: number;
  commands: RunCommand[];
  /** Lookups of this turn, sent as one command. */
  lookups: StageTask[];
  /** Objects made in this turn: all others belong to the state before and are never written. */
  fresh: WeakSet<object>;
}

/** A child that may be written: copied on the first write of a turn. */
export function writable<P extends object, K extends keyof P>(turn: Turn, parent: P, key: K): NonNullable<P[K]> {
  const child = parent[key] as object;
  if (turn.fresh.has(child)) return child as NonNullable<P[K]>;
  const copy = (Array.isArray(child) ? [...child] : { ...child }) as object;
  turn.fresh.add(copy);
  parent[key] = copy as P[K];
  return copy as NonNullable<P[K]>;
}

export function fresh<T extends object>(turn: Turn, value: T): T {
  turn.fresh.add(value);
  return value;
}

export interface LevelIndex {
  byId: Map<string, StagePlan>;
  dependants: Map<string, string[]>;
}

const indices = new WeakMap<readonly StagePlan[], LevelIndex>();

export function indexOf(stages: readonly StagePlan[]): LevelIndex {
  let index = indices.get(stages);
  if (!index) {
    index = { byId: new Map(stages.map((s) => [s.id, s])), dependants: new Map(stages.map((s) => [s.id, []])) };
    for (const stage of stages) for (const need of stage.needs) index.dependants.get(need)?.push(stage.id);
    indices.set(stages, index);
  }
  return index;
}

/** The stages of one level in one execution, with everything their expressions see. */
export interface Frame {
  stages: readonly StagePlan[];
  states: Record<string, StageState>;
  /** `regions[north].` */
  prefix: string;
  /** `regions.` */
  stagePrefix: string;
  /** Partition keys on the way here. */
  keys: string[];
  variables: Record<string, Json | ArtifactRef>;
  params: Record<string, Json>;
  paramPlans: Record<string, ParamPlan>;
  /** Level around the group, where its stages can be read from here. */
  outer?: Frame;
  /** The execution this level is the inside of. */
  owner?: Execution;
}

/** One stage in one frame. */
export interface Site {
  frame: Frame;
  plan: StagePlan;
  state: StageState;
  /** Only an execution has one: a stage as a whole is not mistaken for an item of it. */
  key?: never;
}

/** One execution of a stage: the whole stage, or one item or point of it. */
export interface Execution extends Omit<Site, 'key'> {
  key?: string;
  body: BodyState;
}

/** The stage that an execution is of. */
export function stageOf({ frame, plan, state }: Execution): Site {
  return { frame, plan, state };
}

export function rootFrame(turn: Turn): Frame {
  return {
    stages: turn.plan.stages,
    states: writable(turn, turn.state, 'stages'),
    prefix: '',
    stagePrefix: '',
    keys: [],
    variables: {},
    params: turn.state.params,
    paramPlans: turn.plan.params,
  };
}

export function siteOf(turn: Turn, frame: Frame, id: string): Site {
  return { frame, plan: indexOf(frame.stages).byId.get(id)!, state: writable(turn, frame.states, id) };
}

export function pathOf({ frame, plan, key }: Omit<Site, 'key' | 'state'> & { key?: string }): string {
  return key === undefined ? frame.prefix + plan.id : `${frame.prefix}${plan.id}[${encodeKey(key)}]`;
}

/** Variables that hold inside one execution. */
export function variablesOf(execution: Execution): Record<string, Json | ArtifactRef> {
  const { frame, plan, body } = execution;
  return plan.fanOut && body.item !== undefined ? { ...frame.variables, [plan.fanOut.as]: body.item } : frame.variables;
}

/** Partition keys of one execution; points of a sweep are no partitions. */
export function keysOf({ frame, plan, key }: Execution): string[] {
  return key !== undefined && plan.fanOut?.kind === 'forEach' ? [...frame.keys, key] : frame.keys;
}

/** Frame of a group's inside. */
export function innerFrame(turn: Turn, execution: Execution, params: Record<string, Json> | undefined): Frame {
  const { frame, plan, body } = execution;
  const group = plan.group!;
  const file = group.params !== undefined;
  return {
    stages: group.stages,
    states: writable(turn, body, 'stages') as Record<string, StageState>,
    prefix: `${pathOf(execution)}.`,
    stagePrefix: `${frame.stagePrefix}${plan.id}.`,
    keys: keysOf(execution),
    variables: file ? {} : variablesOf(execution),
    params: file ? (params ?? {}) : frame.params,
    paramPlans: file ? group.params! : frame.paramPlans,
    ...(file ? {} : { outer: frame }),
    owner: execution,
  };
}

/** Finds what a path names; undefined when the plan or the state has no such thing (any more). */
export function locate(
  turn: Turn,
  path: string,
  groupParams: (execution: Execution) => Record<string, Json>,
): (Omit<Site, 'key'> & { key?: string; body?: BodyState }) | undefined {
  const steps = parsePath(path);
  if (!steps) return undefined;
  let frame = rootFrame(turn);
  for (const [i, { id, key }] of steps.entries()) {
    const plan = indexOf(frame.stages).byId.get(id);
    if (!plan || !Object.hasOwn(frame.states, id)) return undefined;
    const site = siteOf(turn, frame, id);
    const body = bodyOf(turn, site.state, key);
    if (i === steps.length - 1) return { ...site, ...(key === undefined ? {} : { key }), ...(body ? { body } : {}) };
    if (!body?.stages || !plan.group) return undefined;
    const execution: Execution = { ...site, ...(key === undefined ? {} : { key }), body };
    frame = innerFrame(turn, execution, plan.group.params ? groupParams(execution) : undefined);
  }
  return undefined;
}

function bodyOf(turn: Turn, state: StageState, key: string | undefined): BodyState | undefined {
  if (key === undefined) return state.body && writable(turn, state, 'body');
  const page = state.fan?.pages.findIndex((p) => p.bodies && Object.hasOwn(p.bodies, key)) ?? -1;
  if (page < 0) return undefined;
  const fan = writable(turn, state, 'fan');
  const pages = writable(turn, fan, 'pages');
  const bodies = writable(turn, writable(turn, pages, page), 'bodies');
  return writable(turn, bodies, key) as BodyState;
}
