import type { DocPath } from '../document.ts';
import { checkExpression } from '../expression/check.ts';
import type { Scope } from '../expression/check.ts';
import { hasExpression, parseTemplate } from '../expression/template.ts';
import { DYN, formatType } from '../expression/value-type.ts';
import type { ValueType } from '../expression/value-type.ts';
import { common } from '../expression/check.ts';
import type { FanOutPlan, Value } from '../plan.ts';
import { checkCondition, checkValue } from './expressions.ts';
import type { OnRead } from './expressions.ts';
import { ID, isFields, readChoice, readCount, readFields, readText, showValue } from './reporter.ts';
import type { Fields, Reporter } from './reporter.ts';

/** Items of a fan-out run side by side unless the file says otherwise. */
const DEFAULT_PARALLEL = 8;
const RESERVED = ['params', 'run', 'stages', 'metrics'];

export interface FanOutSite {
  r: Reporter;
  path: DocPath;
  scope: Scope;
  onRead: OnRead;
  /** An artifact is gone through, as in `in: "${{ stages.split.data }}"`. */
  onReference(path: DocPath, value: unknown): ValueType;
}

export interface CheckedFanOut {
  plan: FanOutPlan;
  /** Type of the variable. */
  item: ValueType;
}

export function readForEach(site: FanOutSite, value: unknown): CheckedFanOut | undefined {
  const { r, path, scope, onRead } = site;
  const fields = readFields(r, path, value, ['in', 'as', 'maxParallel', 'failureBudget'], '`forEach`');
  if (!fields) return undefined;
  const plan: FanOutPlan = {
    kind: 'forEach',
    as: readAs(site, fields, 'item'),
    maxParallel: readParallel(site, fields),
  };
  const at = [...path, 'in'];
  plan.failureBudget = readBudget(r, [...path, 'failureBudget'], fields.failureBudget);
  if (fields.in === undefined) {
    r.report(path, 'missing-key', '`forEach` needs `in`: what to go through', {
      at: 'key',
      expected: 'a dataset, or a list',
    });
    return undefined;
  }
  plan.in = fields.in as Value;
  let item: ValueType = DYN;
  if (Array.isArray(fields.in)) {
    plan.over = 'items';
    if (fields.in.length === 0)
      r.report(at, 'empty', '`forEach` goes through an empty list', { expected: 'at least one item' });
    checkValue(r, at, fields.in, scope, onRead);
    item = hasExpression(fields.in) ? DYN : common(fields.in.map(typeOfValue));
  } else if (typeof fields.in === 'string' && parseTemplate(fields.in).whole) {
    const { expression } = parseTemplate(fields.in).segments[0] as { expression: string };
    // Lists of values are told from artifacts by their type.
    const asValue = checkExpression(expression, scope);
    const type =
      asValue.errors.length === 0 && asValue.type.t !== 'artifact' ? asValue.type : site.onReference(at, fields.in);
    plan.over =
      type.t === 'artifact' || (type.t === 'dyn' && /\b(named|first)\s*\(/.test(expression)) ? 'parts' : 'items';
    if (plan.over === 'items' && asValue.errors.length === 0) {
      checkValue(r, at, fields.in, scope, onRead);
      if (type.t === 'list') item = type.of;
      else if (type.t !== 'dyn') refuseIn(r, at, type);
    } else if (type.t === 'artifact') {
      item = type;
      if (type.kind !== 'dataset') refuseIn(r, at, type);
    } else item = { t: 'artifact', kind: 'dataset' };
  } else
    r.report(at, 'wrong-type', '`in` must be a list or one expression', {
      expected: '"${{ stages.STAGE.OUTPUT }}", "${{ params.NAME }}" or a list',
      found: showValue(fields.in),
    });
  return { plan, item };
}

function refuseIn(r: Reporter, path: DocPath, type: ValueType): void {
  r.report(path, 'wrong-kind', '`forEach` goes through the parts of a dataset or the items of a list', {
    expected: 'dataset or list',
    found: formatType(type),
  });
}

export function readSweep(site: FanOutSite, value: unknown): CheckedFanOut | undefined {
  const { r, path } = site;
  const fields = readFields(r, path, value, ['as', 'matrix', 'values', 'select', 'until', 'maxParallel'], '`sweep`');
  if (!fields) return undefined;
  const plan: FanOutPlan = {
    kind: 'sweep',
    as: readAs(site, fields, 'point'),
    maxParallel: readParallel(site, fields, fields.until === undefined ? DEFAULT_PARALLEL : 1),
  };
  let item: ValueType = DYN;
  if ((fields.matrix === undefined) === (fields.values === undefined))
    r.report(path, 'missing-key', '`sweep` needs either `matrix` or `values`', {
      at: 'key',
      expected: 'matrix: { latentDim: [4, 8] } (every combination), or values: [4, 8] (in order)',
      found: fields.matrix === undefined ? 'neither' : 'both',
    });
  if (fields.matrix !== undefined) {
    if (!isFields(fields.matrix) || Object.keys(fields.matrix).length === 0)
      r.report([...path, 'matrix'], 'wrong-type', '`matrix` must map names to lists', {
        found: showValue(fields.matrix),
      });
    else {
      plan.matrix = fields.matrix as Record<string, Value>;
      const types: Record<string, ValueType> = {};
      for (const [name, list] of Object.entries(fields.matrix))
        types[name] = readList(site, [...path, 'matrix', name], list);
      item = { t: 'object', fields: types, owner: 'The point', noun: 'value' };
    }
  } else if (fields.values !== undefined) {
    plan.values = fields.values as Value;
    item = readList(site, [...path, 'values'], fields.values);
  }
  if (fields.until !== undefined) {
    // Checked with the metrics by the caller, who knows them.
    plan.until = String(fields.until);
  }
  if (fields.select !== undefined) {
    const select = readFields(r, [...path, 'select'], fields.select, ['metric', 'mode'], '`select`');
    if (select) {
      const metric =
        select.metric === undefined ? undefined : readText(r, [...path, 'select', 'metric'], select.metric, '`metric`');
      const mode = readChoice(r, [...path, 'select', 'mode'], select.mode ?? 'min', ['min', 'max'], '`mode`');
      if (select.metric === undefined)
        r.report([...path, 'select'], 'missing-key', '`select` needs a `metric`', { at: 'key' });
      if (metric !== undefined) plan.select = { metric, mode: mode ?? 'min' };
    }
  } else if (fields.until === undefined)
    r.report(path, 'missing-key', '`sweep` needs `select` (which point is best) or `until` (which is good enough)', {
      at: 'key',
      expected: 'select: { metric: rmse, mode: min }',
    });
  return { plan, item };
}

/** Checks `until` and `select` where the metrics of one point are known. */
export function checkSweepConditions(site: FanOutSite, plan: FanOutPlan, scope: Scope): void {
  const { r, path, onRead } = site;
  if (plan.until !== undefined)
    plan.until = checkCondition(r, [...path, 'until'], plan.until, scope, onRead, '`until`');
  if (!plan.select) return;
  const at = [...path, 'select', 'metric'];
  if (!scope.metrics) {
    r.report(at, 'wrong-kind', 'There is nothing to select by: the stage has no metrics', {
      expected: 'an output of kind metrics',
    });
    return;
  }
  // `rmse` alone stands for `metrics.rmse`.
  const root = /^([A-Za-z_]\w*)[\w.]*$/.exec(plan.select.metric)?.[1];
  const prefix = root === undefined || Object.hasOwn(scope, root) ? '' : 'metrics.';
  const text = prefix + plan.select.metric;
  const { type, errors, reads } = checkExpression(text, scope);
  for (const error of errors)
    r.report(at, error.code, error.message, { ...error, offset: Math.max(0, error.start - prefix.length) });
  if (errors.length === 0 && !['double', 'int', 'dyn'].includes(type.t))
    r.report(at, 'expression-type', '`metric` must be a number', { expected: 'number', found: formatType(type) });
  for (const read of reads) onRead(read, at);
  plan.select.metric = text;
}

function readList({ r, scope, onRead }: FanOutSite, path: DocPath, value: unknown): ValueType {
  if (Array.isArray(value)) {
    if (value.length === 0) r.report(path, 'empty', 'There are no values to try', { expected: 'at least one' });
    checkValue(r, path, value, scope, onRead);
    return hasExpression(value) ? DYN : common(value.map(typeOfValue));
  }
  const type = typeof value === 'string' ? checkValue(r, path, value, scope, onRead) : undefined;
  if (type?.t === 'list') return type.of;
  if (type?.t !== 'dyn')
    r.report(path, 'wrong-type', 'Expected a list of values', {
      expected: 'a list',
      found: type ? formatType(type) : showValue(value),
    });
  return DYN;
}

function readAs({ r, path, scope }: FanOutSite, fields: Fields, fallback: string): string {
  if (fields.as === undefined) return fallback;
  const at = [...path, 'as'];
  const name = readText(r, at, fields.as, '`as`');
  if (name === undefined) return fallback;
  if (!ID.test(name))
    r.report(at, 'bad-id', `\`${name}\` cannot be the name of a variable`, { expected: 'letters, digits and _' });
  else if (RESERVED.includes(name) || Object.hasOwn(scope, name))
    r.report(at, 'ambiguous-id', `\`${name}\` already means something here`, { expected: 'another name' });
  return name;
}

function readParallel({ r, path }: FanOutSite, fields: Fields, fallback = DEFAULT_PARALLEL): number {
  if (fields.maxParallel === undefined) return fallback;
  return readCount(r, [...path, 'maxParallel'], fields.maxParallel, '`maxParallel`') ?? fallback;
}

function readBudget(r: Reporter, path: DocPath, value: unknown): FanOutPlan['failureBudget'] {
  if (value === undefined) return { count: 0 };
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return { count: value };
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1] : undefined;
  if (percent !== undefined && Number(percent) <= 100) return { percent: Number(percent) };
  r.report(path, 'wrong-type', '`failureBudget` must be a count or a share', {
    expected: 'for example 3 or "5%"',
    found: showValue(value),
  });
  return { count: 0 };
}

export function typeOfValue(value: unknown): ValueType {
  if (typeof value === 'string') return { t: 'string' };
  if (typeof value === 'number') return { t: 'double' };
  if (typeof value === 'boolean') return { t: 'bool' };
  if (Array.isArray(value)) return { t: 'list', of: common(value.map(typeOfValue)) };
  if (isFields(value))
    return {
      t: 'object',
      fields: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typeOfValue(item)])),
    };
  return DYN;
}
