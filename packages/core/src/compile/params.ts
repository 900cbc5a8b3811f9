import type { DocPath } from '../document.ts';
import { DOUBLE, DYN, INT, STRING } from '../expression/value-type.ts';
import type { ValueType } from '../expression/value-type.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Json, ParamPlan } from '../plan.ts';
import { checkIds, isFields, readChoice, readFields, readNumber, readText, showValue } from './reporter.ts';
import type { Reporter } from './reporter.ts';

const TYPES = ['number', 'integer', 'string', 'boolean', 'list', 'object'] as const;
const KEYS = ['type', 'default', 'minimum', 'maximum', 'enum', 'description'] as const;

/** Reads the `params` of a pipeline. */
export function readParams(r: Reporter, path: DocPath, value: unknown): Record<string, ParamPlan> {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) {
    r.report(path, 'wrong-type', '`params` must be a mapping from names to declarations', { found: showValue(value) });
    return {};
  }
  checkIds(r, path, Object.keys(value), 'param');
  const params: Record<string, ParamPlan> = {};
  for (const [id, declaration] of Object.entries(value)) {
    const param = readParam(r, [...path, id], declaration, id);
    if (param) params[id] = param;
  }
  return params;
}

function readParam(r: Reporter, path: DocPath, value: unknown, id: string): ParamPlan | undefined {
  // `epochs: 200` declares a default and, by it, a type.
  if (!isFields(value)) {
    if (value === null || value === undefined) {
      r.report(path, 'wrong-type', `The param \`${id}\` declares nothing`, { expected: '{ type: …, default: … }' });
      return { type: 'object' };
    }
    return { type: typeOf(value), default: value as Json };
  }
  const fields = readFields(r, path, value, KEYS, `The param \`${id}\``)!;
  if (fields.type === undefined && fields.default === undefined) {
    r.report(path, 'missing-key', `The param \`${id}\` needs a \`type\``, {
      at: 'key',
      expected: `one of ${TYPES.join(', ')}`,
    });
    return { type: 'object' };
  }
  const type =
    fields.type === undefined ? typeOf(fields.default) : readChoice(r, [...path, 'type'], fields.type, TYPES, '`type`');
  const param: ParamPlan = { type: type ?? 'object' };
  for (const bound of ['minimum', 'maximum'] as const)
    if (fields[bound] !== undefined) {
      const limit = readNumber(r, [...path, bound], fields[bound], `\`${bound}\``);
      if (limit !== undefined) param[bound] = limit;
    }
  if (fields.enum !== undefined) {
    if (Array.isArray(fields.enum) && fields.enum.length > 0) param.enum = fields.enum as Json[];
    else
      r.report([...path, 'enum'], 'wrong-type', '`enum` must be a list of the allowed values', {
        found: showValue(fields.enum),
      });
  }
  if (fields.description !== undefined) {
    const text = readText(r, [...path, 'description'], fields.description, '`description`');
    if (text !== undefined) param.description = text;
  }
  if (fields.default !== undefined) {
    param.default = fields.default as Json;
    const problem = type && paramProblem(param, fields.default);
    if (problem)
      r.report([...path, 'default'], 'param-invalid', `The default of \`${id}\` does not fit: ${problem}`, {
        found: showValue(fields.default),
      });
  }
  return param;
}

function typeOf(value: unknown): ParamPlan['type'] {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' || typeof value === 'boolean' ? (typeof value as 'string' | 'boolean') : 'object';
}

/** What is wrong with a value for a param, as `expected …`; undefined when it fits. */
export function paramProblem(param: ParamPlan, value: unknown): string | undefined {
  const fits: Record<ParamPlan['type'], (v: unknown) => boolean> = {
    number: (v) => typeof v === 'number' && Number.isFinite(v),
    integer: (v) => typeof v === 'number' && Number.isSafeInteger(v),
    string: (v) => typeof v === 'string',
    boolean: (v) => typeof v === 'boolean',
    list: Array.isArray,
    object: isFields,
  };
  if (!fits[param.type](value)) return `expected ${param.type === 'integer' ? 'an' : 'a'} ${param.type}`;
  if (param.minimum !== undefined && (value as number) < param.minimum) return `expected at least ${param.minimum}`;
  if (param.maximum !== undefined && (value as number) > param.maximum) return `expected at most ${param.maximum}`;
  if (param.enum && !param.enum.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value)))
    return `expected one of ${param.enum.map(showValue).join(', ')}`;
  return undefined;
}

/** All mistakes of values given for params: unknown names, wrong values, missing ones. */
export function paramProblems(
  params: Record<string, ParamPlan>,
  given: Record<string, unknown>,
): { name: string; message: string; suggestion?: string }[] {
  const problems: { name: string; message: string; suggestion?: string }[] = [];
  for (const [name, value] of Object.entries(given)) {
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    if (!param) {
      const suggestion = didYouMean(name, Object.keys(params));
      problems.push({ name, message: `there is no param \`${name}\``, ...(suggestion ? { suggestion } : {}) });
      continue;
    }
    const problem = paramProblem(param, value);
    if (problem) problems.push({ name, message: `\`${name}\`: ${problem}, found ${showValue(value)}` });
  }
  for (const [name, param] of Object.entries(params))
    if (param.default === undefined && !Object.hasOwn(given, name))
      problems.push({ name, message: `\`${name}\` has no default and was not given (${param.type})` });
  return problems;
}

/** Static type of a param in expressions. */
export function typeOfParam(param: ParamPlan): ValueType {
  switch (param.type) {
    case 'number':
      return DOUBLE;
    case 'integer':
      return INT;
    case 'string':
      return STRING;
    case 'boolean':
      return { t: 'bool' };
    case 'list': {
      const items = Array.isArray(param.default) ? param.default : [];
      const same = items.length > 0 && items.every((item) => typeof item === typeof items[0]);
      const of = !same ? DYN : typeof items[0] === 'string' ? STRING : typeof items[0] === 'number' ? DOUBLE : DYN;
      return { t: 'list', of };
    }
    default:
      return DYN;
  }
}
