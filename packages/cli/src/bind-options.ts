import { engineIdentity } from '@hourglass/engine';
import type { Json, Plan } from '@hourglass/core';
import { didYouMean, HourglassError } from '@hourglass/core';
import type { CliContext } from './context.ts';

/** Options of `run` and `plan` as commander hands them over. */
export interface BindingFlags {
  param?: string[];
  only?: string[];
  from?: string[];
  force?: true | string[];
  seed?: number;
  engine?: string;
  at?: string;
  out?: string;
  store?: string;
}

/** What of a call decides what the run is. */
export interface Binding {
  params: Record<string, Json>;
  only?: string[];
  from?: string[];
  force?: true | string[];
  seed?: number;
  engine?: string;
  scheduledAt?: string;
}

/** @throws CALL_INVALID, ENGINE_UNAVAILABLE with the remedy; params are checked when the plan is bound */
export async function bindingOf(context: CliContext, plan: Plan, flags: BindingFlags): Promise<Binding> {
  if (flags.only && flags.from)
    throw new HourglassError('CALL_INVALID', '--only and --from contradict each other: give one of them.');
  const engine = engineOf(context, plan, flags.engine);
  // Said before anything runs, not by the first stage that trains.
  await engineIdentity((engine ?? plan.engine) as Parameters<typeof engineIdentity>[0]);
  return {
    params: parseParams(plan, flags.param ?? []),
    only: flags.only,
    from: flags.from,
    force: flags.force,
    seed: flags.seed,
    engine,
    scheduledAt: flags.at === undefined ? undefined : parseTime(flags.at),
  };
}

/** `--engine`, else the pipeline's own choice, else `HOURGLASS_ENGINE`, else auto. */
function engineOf({ env }: CliContext, plan: Plan, flag: string | undefined): string | undefined {
  if (flag !== undefined) return flag;
  return plan.engine === 'auto' ? env.HOURGLASS_ENGINE || undefined : undefined;
}

function parseTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new HourglassError('CALL_INVALID', `--at: expected a time such as 2026-11-24T03:00:00Z, found "${text}".`);
  return time.toISOString();
}

function parseParams(plan: Plan, given: readonly string[]): Record<string, Json> {
  const params: Record<string, Json> = {};
  for (const text of given) {
    const { name, value } = splitAssignment(text, '--param', 'name=value');
    const declared = plan.params[name];
    if (!declared) {
      const names = Object.keys(plan.params);
      const near = didYouMean(name, names);
      throw new HourglassError(
        'PARAM_INVALID',
        `${plan.name} has no param \`${name}\`.${near ? ` Did you mean \`${near}\`?` : ''} Declared: ${names.join(', ') || 'none'}.`,
        { details: { param: name } },
      );
    }
    params[name] = parseValue(value, declared.type);
  }
  return params;
}

/** `name=value` in two. @throws CALL_INVALID */
export function splitAssignment(text: string, option: string, form: string): { name: string; value: string } {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at).trim(), value: text.slice(at + 1) };
  throw new HourglassError('CALL_INVALID', `${option}: expected ${form}, found "${text}".`);
}

/** Text of the command line as a value; what does not fit the type stays text, and is refused by name later. */
export function parseValue(text: string, type?: string): Json {
  if (type === 'string') return text;
  if (type === 'list' && !text.trim().startsWith('[')) return text.split(',').map((item) => parseValue(item.trim()));
  if (text.trim() === '') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
