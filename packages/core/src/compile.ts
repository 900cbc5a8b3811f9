import { checkLevel } from './compile/check-stage.ts';
import { declareLevel, scopeOf } from './compile/level.ts';
import type { Compiling, Level, ReadFile } from './compile/level.ts';
import { addKeep } from './compile/metrics-kept.ts';
import { readParams } from './compile/params.ts';
import { createReporter, isFields, NAME, readFields, readText, showValue } from './compile/reporter.ts';
import type { Fields, Reporter } from './compile/reporter.ts';
import { readSchedule } from './compile/schedule.ts';
import type { Diagnostic } from './diagnostic.ts';
import { readDocument } from './document.ts';
import type { SourceText } from './document.ts';
import { checkReference, sourcesOf } from './expression/reference.ts';
import { parseTemplate } from './expression/template.ts';
import { itemKeep } from './keep.ts';
import { INTERPRETER } from './plan.ts';
import type { Plan, StagePlan, Value } from './plan.ts';
import type { Registry } from './registry.ts';

export const PIPELINE_KEYS = [
  'hourglass',
  'name',
  'title',
  'engine',
  'seed',
  'params',
  'schedule',
  'stages',
  'publish',
] as const;

export interface CompileOptions {
  readFile?: ReadFile;
}

export interface Compiled {
  /** Only when there is no error. */
  plan?: Plan;
  /** All mistakes of the file, in order of their position. */
  diagnostics: Diagnostic[];
}

/** Checks a pipeline file against the installed plugins: all mistakes in one pass, or a Plan. */
export function compile(source: SourceText, registry: Registry, options: CompileOptions = {}): Compiled {
  const doc = readDocument(source);
  const diagnostics = [...doc.diagnostics];
  const r = createReporter(doc, diagnostics);
  const done = (plan?: Plan): Compiled => {
    diagnostics.sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));
    return diagnostics.some((d) => d.severity === 'error') ? { diagnostics } : { plan, diagnostics };
  };
  if (!isFields(doc.value)) {
    if (diagnostics.length === 0)
      r.report([], 'wrong-type', 'A pipeline must be a mapping', {
        expected: 'it begins with `hourglass: v1`',
        found: showValue(doc.value),
      });
    return done();
  }
  const fields = readFields(r, [], doc.value, PIPELINE_KEYS, 'A pipeline')!;
  const head = readHead(r, fields);
  const params = readParams(r, ['params'], fields.params);
  const c: Compiling = {
    registry,
    diagnostics,
    names: new Map(),
    scheduled: fields.schedule !== undefined,
    ...(options.readFile ? { readFile: options.readFile } : {}),
  };
  const plan: Plan = { interpreter: INTERPRETER, ...head, params, stages: [], publish: {}, names: [] };
  if (fields.schedule !== undefined) plan.schedule = readSchedule(r, ['schedule'], fields.schedule, params);
  if (fields.stages === undefined)
    r.report([], 'missing-key', 'A pipeline needs `stages`', { expected: 'stages: { ID: { uses: … } }' });
  else {
    const level = declareLevel(
      { c, r, path: ['stages'], params, variables: {}, files: [source.file], dir: '' },
      fields.stages,
    );
    plan.stages = checkLevel(level);
    plan.publish = readPublish(r, level, fields.publish);
    keepInGroups(plan.stages);
  }
  plan.names = [...c.names].map(([name, optional]) => ({ name, optional }));
  return done(plan);
}

function readHead(r: Reporter, fields: Fields): Pick<Plan, 'name' | 'title' | 'engine' | 'seed'> {
  const head: Pick<Plan, 'name' | 'title' | 'engine' | 'seed'> = { name: '', engine: 'auto', seed: 0 };
  if (fields.hourglass === undefined)
    r.report([], 'missing-key', 'The first key must say the version of the grammar', { expected: '`hourglass: v1`' });
  else if (fields.hourglass !== 'v1')
    r.report(['hourglass'], 'wrong-version', `This version of the grammar is not known`, {
      expected: 'v1',
      found: showValue(fields.hourglass),
    });
  if (fields.name === undefined)
    r.report([], 'missing-key', 'A pipeline needs a `name`', { expected: 'name: my_pipeline' });
  else {
    const name = readText(r, ['name'], fields.name, '`name`');
    if (name !== undefined && !NAME.test(name))
      r.report(['name'], 'bad-id', `\`${name}\` cannot be the name of a pipeline`, {
        expected: 'a letter or _, then letters, digits, _ and - (`title` is free text)',
        suggestion: name.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^(\d)/, '_$1') || undefined,
      });
    head.name = name ?? '';
  }
  if (fields.title !== undefined) head.title = readText(r, ['title'], fields.title, '`title`');
  if (fields.engine !== undefined) head.engine = readText(r, ['engine'], fields.engine, '`engine`') ?? 'auto';
  if (fields.seed !== undefined) {
    if (
      typeof fields.seed === 'number' &&
      Number.isInteger(fields.seed) &&
      fields.seed >= 0 &&
      fields.seed <= 0xffffffff
    )
      head.seed = fields.seed;
    else
      r.report(['seed'], 'wrong-type', '`seed` must be a whole number from 0 to 4294967295', {
        found: showValue(fields.seed),
      });
  }
  return head;
}

function readPublish(r: Reporter, level: Level, value: unknown): Record<string, Value> {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) {
    r.report(['publish'], 'wrong-type', '`publish` must map names to artifacts', {
      expected: 'NAME: "${{ stages.STAGE.OUTPUT }}"',
      found: showValue(value),
    });
    return {};
  }
  const scope = { stages: scopeOf(level).stages! };
  for (const [name, ref] of Object.entries(value)) {
    const path = ['publish', name];
    if (!NAME.test(name))
      r.report(path, 'bad-id', `\`${name}\` cannot be a published name`, {
        at: 'key',
        expected: 'letters, digits, _ and -',
      });
    const template = typeof ref === 'string' ? parseTemplate(ref) : undefined;
    const segment = template?.whole ? template.segments[0]! : undefined;
    if (!segment || !('expression' in segment)) {
      r.report(path, 'wrong-kind', '`publish` takes an artifact of a stage', {
        expected: '"${{ stages.STAGE.OUTPUT }}"',
        found: showValue(ref),
      });
      continue;
    }
    const { errors, type } = checkReference(segment.expression, scope);
    for (const e of errors)
      r.report(path, e.code, e.message, {
        expected: e.expected,
        found: e.found,
        suggestion: e.suggestion,
        offset: segment.offset + e.start,
      });
    if (errors.length === 0 && type.t === 'list')
      r.report(path, 'wrong-kind', 'A list of artifacts cannot be published under one name');
  }
  return value as Record<string, Value>;
}

/** A group's metrics are those of a stage within: what is kept of the one must be kept of the other. */
function keepInGroups(stages: readonly StagePlan[]): void {
  for (const stage of stages) {
    if (!stage.group) continue;
    for (const [name, value] of Object.entries(stage.group.outputs)) {
      const keep = itemKeep(stage, name);
      if (keep.length === 0) continue;
      for (const [, id, output] of sourcesOf(value)) {
        const inner = stage.group.stages.find((s) => s.id === id)?.outputs[output ?? ''];
        if (inner) for (const path of keep) addKeep(inner, path);
      }
    }
    keepInGroups(stage.group.stages);
  }
}
