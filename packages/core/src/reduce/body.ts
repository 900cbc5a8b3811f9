import { ERROR_CODES, HourglassError } from '../error.ts';
import type { ErrorJson } from '../error.ts';
import type { Json } from '../plan.ts';
import { sourcesOf } from '../expression/reference.ts';
import { deriveSeed } from '../seed.ts';
import type { Output, StageState } from '../state.ts';
import { itemKeep } from '../keep.ts';
import type { CacheAnswer, StageTask } from '../task.ts';
import { enqueue, itemSettled } from './fan.ts';
import { expressionError, failStage, initialStates, judge, settle, startLevel } from './stage.ts';
import { fresh, innerFrame, keysOf, pathOf, stageOf, variablesOf } from './turn.ts';
import type { Execution, Frame, Turn } from './turn.ts';
import { keepPaths, resolveArtifact, resolveValue } from './values.ts';

/** What one execution gives. */
interface BodyResult {
  outputs: Record<string, Output>;
  metrics: Record<string, unknown>;
}

/** Starts one execution: a lookup in the cache first, unless it is not wanted; a group opens its stages. */
export function startBody(turn: Turn, execution: Execution): void {
  const { plan, body } = execution;
  if (plan.group) return openGroup(turn, execution);
  const task = taskOf(turn, execution);
  if (!('uses' in task)) return failBody(turn, execution, task, false);
  if (looksUp(turn, execution)) {
    body.status = 'lookup';
    turn.lookups.push(task);
  } else {
    body.cache = 'off';
    run(turn, execution, task);
  }
}

export function looksUp(turn: Turn, { frame, plan }: Pick<Execution, 'frame' | 'plan'>): boolean {
  const { force } = turn.state;
  return !plan.group && plan.cache && force !== true && !force.includes(frame.stagePrefix + plan.id);
}

/** Runs it now, or when the pause ends. */
export function run(turn: Turn, execution: Execution, known?: StageTask): void {
  const { body } = execution;
  const task = known ?? taskOf(turn, execution);
  if (!('uses' in task)) return failBody(turn, execution, task, false);
  if (turn.state.paused) {
    body.status = 'ready';
    return;
  }
  body.status = 'running';
  turn.commands.push({ type: 'run', task });
}

/** The work of one execution, every expression resolved; an error when an input or a value is absent. */
export function taskOf(turn: Turn, execution: Execution): StageTask | ErrorJson {
  const { frame, plan, state, body } = execution;
  const variables = variablesOf(execution);
  const stagePath = frame.stagePrefix + plan.id;
  let options: Record<string, Json>;
  try {
    options = resolveValue(turn.state, frame, plan.options, variables) as Record<string, Json>;
  } catch (error) {
    return expressionError(execution, 'with', JSON.stringify(plan.options), error);
  }
  Object.assign(options, turn.state.overrides[stagePath], state.overrides);
  const inputs: StageTask['inputs'] = {};
  for (const [name, value] of Object.entries(plan.inputs)) {
    const ref = resolveArtifact(turn.state, frame, value, variables);
    if (ref && !Array.isArray(ref)) inputs[name] = ref;
    else if (plan.required.includes(name))
      return new HourglassError(
        'INPUT_INVALID',
        `${pathOf(execution)}: the input \`${name}\` (${String(value)}) does not exist in this run: what makes it was skipped or gave nothing. ` +
          `Use first(…) with something that does exist, or let this stage be skipped as well.`,
      ).toJSON();
  }
  return {
    path: pathOf(execution),
    uses: plan.uses!,
    options,
    inputs,
    seed: deriveSeed(turn.state.seed, stagePath, keysOf(execution).join('/')),
    engine: turn.state.engine,
    resources: plan.resources,
    timeout: plan.timeout,
    cache: plan.cache,
    attempt: body.attempt,
    ...(plan.dir ? { dir: plan.dir } : {}),
  };
}

export function lookedUp(turn: Turn, execution: Execution, answer: CacheAnswer): void {
  const { body } = execution;
  if (answer.status === 'hit') {
    body.cache = 'hit';
    return finishBody(turn, execution, answer.result);
  }
  body.cache = 'miss';
  body.reason = answer.reason;
  if (answer.problem) return failBody(turn, execution, answer.problem, false);
  if (execution.key !== undefined && !body.started) return enqueue(turn, execution);
  run(turn, execution);
}

export function finishBody(turn: Turn, execution: Execution, result: BodyResult): void {
  const { plan, body, state } = execution;
  const metrics: Record<string, Json> = {};
  for (const [name, output] of Object.entries(plan.outputs))
    if (output.kind === 'metrics' && Object.hasOwn(result.metrics, name))
      metrics[name] = keepPaths(result.metrics[name], itemKeep(plan, name));
  body.status = 'done';
  delete body.stages;
  delete body.open;
  if (execution.key !== undefined) {
    body.outputs = result.outputs;
    body.metrics = metrics;
    return itemSettled(turn, execution);
  }
  if (body.cache) state.cache = body.cache;
  if (body.reason) state.reason = body.reason;
  state.attempts = body.attempt;
  judge(turn, stageOf(execution), result.outputs, metrics);
}

/** An attempt failed: another one after a pause, or the execution has failed. */
export function failBody(turn: Turn, execution: Execution, error: ErrorJson, retryable: boolean): void {
  const { plan, body, state } = execution;
  const { maxAttempts, initialInterval, coefficient, maxInterval } = plan.retry;
  const known = ERROR_CODES[error.code] as { retryable: boolean } | undefined;
  if (retryable && known?.retryable && body.attempt < maxAttempts && !turn.state.cancelled) {
    const wait = Math.min(initialInterval * coefficient ** (body.attempt - 1), maxInterval);
    body.status = 'backoff';
    body.error = error;
    body.until = turn.at + wait;
    delete body.stages;
    delete body.open;
    turn.commands.push({ type: 'wait', path: pathOf(execution), timer: 'backoff', until: body.until });
    return;
  }
  const cancelled = error.code === 'CANCELLED';
  body.status = cancelled ? 'cancelled' : 'failed';
  body.error = error;
  delete body.stages;
  delete body.open;
  if (execution.key !== undefined) return itemSettled(turn, execution);
  state.attempts = body.attempt;
  if (body.reason) state.reason = body.reason;
  state.error = error;
  if (cancelled) settle(turn, stageOf(execution), 'cancelled');
  else failStage(turn, stageOf(execution), error);
}

/** The pause after a failed attempt is over. */
export function nextAttempt(turn: Turn, execution: Execution): void {
  const { body, plan } = execution;
  body.attempt++;
  delete body.until;
  if (plan.group) return openGroup(turn, execution);
  run(turn, execution);
}

function openGroup(turn: Turn, execution: Execution): void {
  const { plan, body } = execution;
  body.status = 'open';
  body.stages = fresh(turn, initialStates(plan.group!.stages));
  for (const state of Object.values(body.stages)) turn.fresh.add(state);
  body.open = plan.group!.stages.length;
  let params: Record<string, Json> | undefined;
  try {
    params = plan.group!.params ? groupParams(turn, execution) : undefined;
  } catch (error) {
    return failBody(turn, execution, expressionError(execution, 'with', JSON.stringify(plan.options), error), false);
  }
  startLevel(turn, innerFrame(turn, execution, params));
}

/** Params of `uses: ./other.yaml`: what a retry changed, over what `with` gives, over the file's defaults. */
export function groupParams(turn: Turn, execution: Execution): Record<string, Json> {
  const { frame, plan, state } = execution;
  const params: Record<string, Json> = {};
  for (const [name, param] of Object.entries(plan.group!.params ?? {}))
    if (param.default !== undefined) params[name] = param.default;
  const given = resolveValue(turn.state, frame, plan.options, variablesOf(execution));
  return Object.assign(params, given, turn.state.overrides[frame.stagePrefix + plan.id], state.overrides);
}

/** A stage inside a group settled: the group has, when all have. */
export function groupStageSettled(turn: Turn, frame: Frame): void {
  const execution = frame.owner!;
  const { plan, body } = execution;
  if (body.status !== 'open') return;
  body.open!--;
  if (body.open! > 0) return;
  const states = Object.entries(frame.states);
  const failed = states.find(([, s]) => s.status === 'failed') ?? states.find(([, s]) => s.status === 'cancelled');
  if (failed) {
    const [id, state] = failed;
    const error = state.error ?? new HourglassError('CANCELLED', `\`${frame.prefix}${id}\` was cancelled.`).toJSON();
    const within = { ...error, details: { ...error.details, stage: error.details?.stage ?? frame.prefix + id } };
    // Stages within have had their own attempts; the group repeats as a whole only if it says so.
    return failBody(turn, execution, within, true);
  }
  const outputs: Record<string, Output> = {};
  const metrics: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(plan.group!.outputs)) {
    const ref = resolveArtifact(turn.state, { ...frame, outer: undefined }, value);
    if (!ref) continue;
    outputs[name] = ref;
    const source = Array.isArray(ref) ? undefined : metricsOf(frame, value, ref.digest);
    if (source !== undefined) metrics[name] = source;
  }
  body.cache = cacheOf(states.map(([, state]) => state));
  finishBody(turn, execution, { outputs, metrics });
}

/** A group is a hit when everything it did came from the cache. */
function cacheOf(states: StageState[]): 'hit' | 'miss' {
  const done = states.filter(({ status }) => status === 'done');
  return done.length > 0 && done.every(({ cache }) => cache === 'hit') ? 'hit' : 'miss';
}

/** Metrics of a group are those of the stage within that its output stands for. */
function metricsOf(frame: Frame, value: Json, digest: string): Json | undefined {
  for (const [, id, output] of sourcesOf(value)) {
    const state = id === undefined ? undefined : frame.states[id];
    const ref = state?.outputs?.[output ?? ''];
    if (ref && !Array.isArray(ref) && ref.digest === digest) return state?.metrics?.[output!];
  }
  return undefined;
}
