import type { ArtifactRef } from '../artifact.ts';
import { parseExpression } from '../expression/cel.ts';
import type { ASTNode } from '../expression/cel.ts';
import { resolveReference } from '../expression/reference.ts';
import { parseTemplate, resolveTemplates } from '../expression/template.ts';
import type { Json, ParamPlan, StagePlan, Value } from '../plan.ts';
import type { Output, RunState, StageState } from '../state.ts';
import { indexOf } from './turn.ts';
import type { Frame } from './turn.ts';

/** What an expression sees besides its frame: own outputs of a stage, the item of a fan-out. */
export type Extra = Record<string, unknown>;

/**
 * Value of an expression.
 * @throws Error of the expression's evaluation: a value is absent or of an unfit type
 */
export function evaluate(state: RunState, frame: Frame, text: string, extra: Extra = {}): unknown {
  const expression = parseExpression(text);
  if (!('ast' in expression)) throw new Error(expression.message);
  return expression.evaluate(contextOf(state, frame, text, extra));
}

/** Everything an expression may read, with just the outputs of stages that it names. */
export function contextOf(state: RunState, frame: Frame, text: string, extra: Extra = {}): Record<string, unknown> {
  const stages: Record<string, Record<string, unknown>> = {};
  for (const id of stagesRead(text)) {
    const found = findStage(frame, id);
    if (found) stages[id] = outputValues(found.plan, found.state);
  }
  return { ...frame.variables, ...extra, params: withIntegers(frame.params, frame.paramPlans), run: state.run, stages };
}

/** Values of a stage's outputs as expressions read them: of metrics their values, of the rest what the ref says. */
export function outputValues(plan: StagePlan, state: Pick<StageState, 'outputs' | 'metrics'>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(plan.outputs)) {
    const ref = state.outputs?.[name];
    if (output.kind === 'metrics' && !output.list) {
      if (state.metrics && Object.hasOwn(state.metrics, name)) values[name] = decodeMetrics(state.metrics[name]!);
    } else if (ref) values[name] = Array.isArray(ref) ? ref : { ...ref, missing: ref.missing ?? [] };
  }
  return values;
}

/** A stage's own outputs for its gate: by name, and the first metrics as `metrics`. */
export function ownValues(plan: StagePlan, state: Pick<StageState, 'outputs' | 'metrics'>): Extra {
  const values = outputValues(plan, state);
  const first = Object.keys(plan.outputs).find(
    (name) => plan.outputs[name]!.kind === 'metrics' && !plan.outputs[name]!.list,
  );
  return first !== undefined && values.metrics === undefined ? { ...values, metrics: values[first] } : values;
}

export function resolveValue(state: RunState, frame: Frame, value: Value, extra: Extra = {}): Json {
  return resolveTemplates(value, (text) => evaluate(state, frame, text, extra)) as Json;
}

/** The artifact (or list) that a value like `"${{ stages.train.model }}"` stands for; undefined when there is none. */
export function resolveArtifact(state: RunState, frame: Frame, value: Value, extra: Extra = {}): Output | undefined {
  if (typeof value !== 'string') return undefined;
  const segment = parseTemplate(value).segments[0];
  if (!segment || !('expression' in segment)) return undefined;
  return resolveReference(segment.expression, {
    chain(names) {
      const [root, id, output] = names;
      if (root === 'stages') return findStage(frame, id ?? '')?.state.outputs?.[output ?? ''];
      const bound = (Object.hasOwn(extra, root!) ? extra[root!] : frame.variables[root!]) as ArtifactRef | undefined;
      return bound && typeof bound === 'object' && 'digest' in bound ? bound : undefined;
    },
    named: (name) => (Object.hasOwn(state.names, name) ? state.names[name]!.ref : undefined),
    condition: (text) => evaluate(state, frame, text, extra),
  });
}

function findStage(frame: Frame, id: string): { plan: StagePlan; state: StageState } | undefined {
  for (let at: Frame | undefined = frame; at; at = at.outer) {
    const plan = indexOf(at.stages).byId.get(id);
    if (plan && Object.hasOwn(at.states, id)) return { plan, state: at.states[id]! };
  }
  return undefined;
}

/** CEL's integers are BigInt: params declared so become that, all other numbers stay doubles. */
function withIntegers(params: Record<string, Json>, plans: Record<string, ParamPlan>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      plans[name]?.type === 'integer' && Number.isInteger(value) ? BigInt(value as number) : value,
    ]),
  );
}

const reads = new Map<string, string[]>();

function stagesRead(text: string): string[] {
  let ids = reads.get(text);
  if (!ids) {
    const found = new Set<string>();
    const expression = parseExpression(text);
    if ('ast' in expression) collect(expression.ast, found);
    ids = [...found];
    if (reads.size > 10_000) reads.clear();
    reads.set(text, ids);
  }
  return ids;
}

function collect(node: ASTNode, found: Set<string>): void {
  if (node.op === '.' && node.args[0].op === 'id' && node.args[0].args === 'stages') {
    found.add(node.args[1]);
    return;
  }
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (part && typeof part === 'object' && 'op' in part) collect(part as ASTNode, found);
  };
  visit(node.args);
}

/**
 * The paths of a metrics value that the plan's expressions read, JSON-safe: `*` stands for any key, an empty path for
 * the whole value. Numbers JSON cannot hold are marked.
 */
export function keepPaths(value: unknown, paths: readonly string[][]): Json {
  if (paths.some((path) => path.length === 0)) return encodeNumbers(value);
  if (!value || typeof value !== 'object') return encodeNumbers(value);
  const kept: Record<string, Json> = {};
  const source = value as Record<string, unknown>;
  const byKey = new Map<string, string[][]>();
  for (const [key, ...rest] of paths) {
    const keys = key === '*' || key === '*keys' ? Object.keys(source) : [key!];
    for (const name of keys) {
      if (!Object.hasOwn(source, name)) continue;
      const tails = byKey.get(name) ?? [];
      // Keys are gone through, values are not read: the key must be there, whatever its value.
      tails.push(key === '*keys' ? ['*none'] : rest);
      byKey.set(name, tails);
    }
  }
  for (const [name, tails] of byKey) kept[name] = keepPaths(source[name], tails);
  if (Array.isArray(value)) return value.map((_, i) => kept[String(i)] ?? null);
  return kept;
}

function encodeNumbers(value: unknown): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (Array.isArray(value)) return value.map(encodeNumbers);
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encodeNumbers(item)]));
  return (value ?? null) as Json;
}

export function decodeMetrics(value: Json): unknown {
  if (Array.isArray(value)) return value.map(decodeMetrics);
  if (value && typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 1 && entries[0]![0] === '$number') return Number(entries[0]![1]);
    return Object.fromEntries(entries.map(([key, item]) => [key, decodeMetrics(item)]));
  }
  return value;
}
