import type { Diagnostic } from '../diagnostic.ts';
import type { DocPath, SourceText } from '../document.ts';
import type { Scope } from '../expression/check.ts';
import type { ArtifactValueType, ObjectType, ValueType } from '../expression/value-type.ts';
import { typeOfArtifact } from '../expression/schema-type.ts';
import { STRING } from '../expression/value-type.ts';
import { checkReference } from '../expression/reference.ts';
import { parseTemplate } from '../expression/template.ts';
import type { OutputPlan, ParamPlan } from '../plan.ts';
import type { Registry } from '../registry.ts';
import { findStage } from '../registry.ts';
import type { StageManifest } from '../stage.ts';
import { readGroupFile } from './group-file.ts';
import { typeOfParam } from './params.ts';
import { checkIds, isFields, showValue } from './reporter.ts';
import type { Fields, Reporter } from './reporter.ts';

/** Reads another pipeline file for `uses: ./other.yaml`; `error` when it may not or cannot be read. */
export type ReadFile = (path: string, fromFile: string) => SourceText | { error: string };

export interface Compiling {
  registry: Registry;
  readFile?: ReadFile;
  diagnostics: Diagnostic[];
  names: Map<string, boolean>;
  /** Runs begin by themselves. */
  scheduled: boolean;
}

/** Stages that see each other: those of the pipeline, or of one group. */
export interface Level {
  c: Compiling;
  r: Reporter;
  /** Of the mapping of stages in its document. */
  path: DocPath;
  params: Record<string, ParamPlan>;
  /** The group's surroundings; none for the pipeline and for a group that is a file of its own. */
  outer?: Level;
  /** Variables of the fan-outs around it. */
  variables: Scope;
  stages: Map<string, Declared>;
  /** Files open above, for recursion; the first is the pipeline's own. */
  files: string[];
  /** Folder of its file, relative to that of the pipeline. */
  dir: string;
  /** `stages` as its expressions see it, made once every stage is declared. */
  seen?: ObjectType;
}

/** What is known of a stage before its expressions are checked. */
export interface Declared {
  id: string;
  path: DocPath;
  fields: Fields;
  manifest?: StageManifest;
  child?: Level;
  /** Types of the outputs of one execution. */
  item: Record<string, ArtifactValueType | ValueType>;
  /** Outputs of the stage, after fan-out. */
  outputs: Record<string, OutputPlan>;
  type: ObjectType;
  /** Its `uses` leads nowhere: nothing is known of its outputs, and nothing more is said of them. */
  unresolved?: boolean;
}

/** Finds ids and output types of a level, groups within included; says nothing twice that checking will say. */
export function declareLevel(level: Omit<Level, 'stages'>, value: unknown): Level {
  const full: Level = { ...level, stages: new Map() };
  const { r, path } = full;
  if (!isFields(value)) {
    r.report(path, 'wrong-type', '`stages` must be a mapping from ids to stages', { found: showValue(value) });
    return full;
  }
  const ids = Object.keys(value);
  if (ids.length === 0) r.report(path, 'empty', 'There are no stages', { at: 'key', expected: 'at least one stage' });
  checkIds(r, path, ids, 'stage');
  for (const id of ids) {
    for (let outer = full.outer; outer; outer = outer.outer)
      if (outer.stages.has(id) || outer.path.at(-2) === id)
        r.report([...path, id], 'ambiguous-id', `The stage \`${id}\` has the name of a stage around its group`, {
          at: 'key',
          expected: 'a name that is not used further out',
        });
    full.stages.set(id, declareStage(full, id, value[id]));
  }
  return full;
}

function declareStage(level: Level, id: string, value: unknown): Declared {
  const path = [...level.path, id];
  const fields = isFields(value) ? value : {};
  if (!isFields(value))
    level.r.report(path, 'wrong-type', `The stage \`${id}\` must be a mapping`, {
      expected: '{ uses: …, with: … }',
      found: showValue(value),
    });
  const declared: Declared = { id, path, fields, item: {}, outputs: {}, type: { t: 'object', fields: {} } };
  const { uses } = fields;
  if (fields.stages !== undefined) {
    declared.child = declareLevel(
      { ...level, path: [...path, 'stages'], outer: level, variables: { ...level.variables, ...fanVariables(fields) } },
      fields.stages,
    );
  } else if (typeof uses === 'string' && isFile(uses)) declared.child = readGroupFile(level, [...path, 'uses'], uses);
  else if (typeof uses === 'string') {
    const manifest = findStage(level.c.registry, uses);
    if (manifest) {
      declared.manifest = manifest;
      for (const [name, output] of Object.entries(manifest.outputs)) declared.item[name] = typeOfArtifact(output);
    }
  }
  if (declared.child) declareGroupOutputs(declared);
  else if (!declared.manifest) declared.unresolved = true;
  const forEach = fields.forEach !== undefined;
  for (const [name, type] of Object.entries(declared.item)) {
    const collected = forEach ? collectedType(type) : type;
    declared.type.fields[name] = collected;
    declared.outputs[name] = outputPlan(collected, type);
  }
  declared.type.owner = `Stage \`${id}\``;
  declared.type.noun = 'output';
  if (declared.child)
    declared.type.hints = Object.fromEntries(
      [...declared.child.stages.keys()].map((inner) => [
        inner,
        `\`${inner}\` is inside the group \`${id}\`: from outside, only the group's outputs can be read (stages.${id}.OUTPUT)`,
      ]),
    );
  return declared;
}

function declareGroupOutputs(declared: Declared): void {
  if (!isFields(declared.fields.outputs)) return;
  const scope: Scope = { stages: stagesType(declared.child!, false) };
  for (const [name, value] of Object.entries(declared.fields.outputs)) {
    const template = typeof value === 'string' ? parseTemplate(value) : undefined;
    const segment = template?.whole ? template.segments[0]! : undefined;
    declared.item[name] =
      segment && 'expression' in segment ? checkReference(segment.expression, scope).type : { t: 'dyn' };
  }
}

function collectedType(type: ValueType): ValueType {
  if (type.t !== 'artifact') return type;
  if (type.kind === 'dataset') return type;
  if (type.kind === 'metrics') return { ...type, value: { t: 'map', of: type.value ?? { t: 'dyn' } } };
  return { t: 'list', of: type };
}

function outputPlan(collected: ValueType, item: ValueType): OutputPlan {
  const type = item.t === 'list' ? item.of : item;
  const artifact = type.t === 'artifact' ? type : undefined;
  return {
    kind: artifact?.kind ?? 'dataset',
    ...(artifact?.application ? { application: artifact.application } : {}),
    ...(collected.t === 'list' ? { list: true } : {}),
  };
}

export function isFile(uses: string): boolean {
  return /^\.{0,2}\//.test(uses) || /\.ya?ml$/.test(uses);
}

/** Names a fan-out gives to what is inside of it, types unknown until it is checked. */
function fanVariables(fields: Fields): Scope {
  for (const [key, fallback] of [
    ['forEach', 'item'],
    ['sweep', 'point'],
  ] as const)
    if (isFields(fields[key]))
      return { [typeof fields[key].as === 'string' ? fields[key].as : fallback]: { t: 'dyn' } };
  return {};
}

/** `stages` as expressions see it from within a level. */
export function stagesType(level: Level, withOuter = true): ObjectType {
  const fields: Record<string, ValueType> = {};
  const hints: Record<string, string> = {};
  const outer = withOuter && level.outer ? stagesType(level.outer) : undefined;
  Object.assign(fields, outer?.fields);
  Object.assign(hints, outer?.hints);
  for (const [id, declared] of level.stages) {
    fields[id] = declared.unresolved ? { t: 'dyn' } : declared.type;
    for (const inner of declared.child?.stages.keys() ?? [])
      hints[inner] ??=
        `There is no stage \`${inner}\` here: it is inside the group \`${id}\`, whose outputs alone can be read (stages.${id}.OUTPUT)`;
  }
  for (const id of Object.keys(fields)) delete hints[id];
  return { t: 'object', fields, hints, owner: 'The pipeline', noun: 'stage' };
}

/** Everything expressions of a level may name. */
export function scopeOf(level: Level): Scope {
  const params = Object.fromEntries(Object.entries(level.params).map(([name, param]) => [name, typeOfParam(param)]));
  return {
    ...level.variables,
    params: { t: 'object', fields: params, owner: 'The pipeline', noun: 'param' },
    run: { t: 'object', fields: { id: STRING, scheduledAt: STRING, partition: STRING }, owner: 'A run', noun: 'field' },
    stages: (level.seen ??= stagesType(level)),
  };
}
