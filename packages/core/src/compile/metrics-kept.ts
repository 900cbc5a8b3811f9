import type { Scope } from '../expression/check.ts';
import type { ValueType } from '../expression/value-type.ts';
import type { OutputPlan } from '../plan.ts';
import type { Declared, Level } from './level.ts';

/** A stage's own outputs, as its gate sees them: by name, and the first metrics as `metrics`. */
export function ownOutputs(declared: Declared, types: Record<string, ValueType>): Scope {
  const own: Scope = {};
  for (const [name, type] of Object.entries(types)) {
    if (type.t !== 'artifact') continue;
    if (!['params', 'run', 'stages'].includes(name)) own[name] = type;
  }
  const first = Object.values(types).find((type) => type.t === 'artifact' && type.kind === 'metrics');
  if (first && own.metrics === undefined) own.metrics = first;
  return own;
}

/** Notes which metrics of its own a stage's gate reads; true when the read was of an own output. */
export function keepOwn(
  outputs: Record<string, OutputPlan>,
  types: Record<string, ValueType>,
  read: string[],
): boolean {
  const root = read[0]!;
  if (['params', 'run', 'stages'].includes(root)) return false;
  const name = Object.hasOwn(outputs, root)
    ? root
    : Object.keys(outputs).find((output) => outputs[output]!.kind === 'metrics');
  if (name === undefined || (root !== 'metrics' && name !== root)) return false;
  if (types[name]?.t === 'artifact' && outputs[name]!.kind === 'metrics') addKeep(outputs[name]!, read.slice(1));
  return true;
}

/** Notes that an expression reads metrics of another stage. */
export function keepMetrics(level: Level, read: string[]): void {
  const [, id, output, ...rest] = read;
  for (let at: Level | undefined = level; at; at = at.outer) {
    const outputs = at.stages.get(id!)?.outputs;
    if (!outputs) continue;
    if (output !== undefined && Object.hasOwn(outputs, output) && outputs[output]!.kind === 'metrics')
      addKeep(outputs[output]!, rest);
    return;
  }
}

export function addKeep(output: OutputPlan, path: string[]): void {
  output.keep ??= [];
  if (!output.keep.some((known) => known.join('\u0000') === path.join('\u0000'))) output.keep.push(path);
}
