import { didYouMean } from '../did-you-mean.ts';
import type { DocPath } from '../document.ts';
import type { Scope } from '../expression/check.ts';
import { checkReference } from '../expression/reference.ts';
import { hasExpression, parseTemplate } from '../expression/template.ts';
import { assignable, formatType, typeOfArtifact } from '../expression/value-type.ts';
import type { ValueType } from '../expression/value-type.ts';
import type { Json, OutputPlan, StagePlan, Value } from '../plan.ts';
import { stageIds } from '../registry.ts';
import type { StageResources } from '../stage.ts';
import { checkCondition, checkValue } from './expressions.ts';
import type { OnRead } from './expressions.ts';
import { checkSweepConditions, readForEach, readSweep } from './fan-out.ts';
import type { CheckedFanOut } from './fan-out.ts';
import { isFile, scopeOf } from './level.ts';
import type { Declared, Level } from './level.ts';
import { checkOptions } from './options.ts';
import { orderStages } from './order.ts';
import type { Edge } from './order.ts';
import { paramProblem, paramProblems, typeOfParam } from './params.ts';
import { checkIds, isFields, readChoice, readFields, readText, showValue } from './reporter.ts';
import type { Fields } from './reporter.ts';
import { readApprove, readFlag, readOnFailure, readResources, readRetry, readTimeout } from './settings.ts';

export const STAGE_KEYS = [
  'uses',
  'stages',
  'outputs',
  'with',
  'needs',
  'when',
  'onSkipped',
  'forEach',
  'sweep',
  'gate',
  'approve',
  'onFailure',
  'resources',
  'timeout',
  'retry',
  'cache',
  'title',
] as const;

/** What stages of a group take over from it unless they say otherwise. */
interface Inherited {
  cache: boolean;
  timeout: { attempt?: number; heartbeat?: number };
  resources: StageResources;
}

/** Receives what is read of stages further out. */
type OnOuter = (id: string, path: DocPath) => void;

/** Checks the stages of a level and gives them in order. */
export function checkLevel(
  level: Level,
  onOuter: OnOuter = () => {},
  inherited: Inherited = { cache: true, timeout: {}, resources: {} },
): StagePlan[] {
  const edges: Edge[] = [];
  const plans = new Map<string, StagePlan>();
  for (const declared of level.stages.values()) {
    const need = (id: string, path: DocPath): void => {
      if (level.stages.has(id)) edges.push({ from: declared.id, to: id, path });
      else onOuter(id, path);
    };
    const plan = checkStage(level, declared, need, inherited);
    plans.set(declared.id, plan);
  }
  for (const plan of plans.values())
    plan.needs = [...new Set(edges.filter((edge) => edge.from === plan.id).map((edge) => edge.to))];
  return orderStages(level.r, [...level.stages.keys()], edges).map((id) => plans.get(id)!);
}

function checkStage(level: Level, declared: Declared, need: OnOuter, inherited: Inherited): StagePlan {
  const { r } = level;
  const { id, path, manifest, child } = declared;
  const fields = readFields(r, path, declared.fields, STAGE_KEYS, `The stage \`${id}\``)!;
  const base = scopeOf(level);
  const onRead: OnRead = (read, at) => {
    if (read[0] !== 'stages' || read[1] === undefined) return;
    keepMetrics(level, read);
    need(read[1], at);
  };
  const onReference = (at: DocPath, value: unknown, scope: Scope): ValueType =>
    checkArtifact(level, at, value, scope, onRead, need);
  checkUses(level, declared);

  const plan: StagePlan = {
    id,
    inputs: {},
    options: {},
    required: [],
    needs: [],
    after: [],
    outputs: declared.outputs,
    onSkipped: 'skip',
    retry: readRetry(r, [...path, 'retry'], fields.retry),
    timeout: { ...inherited.timeout, ...readTimeout(r, [...path, 'timeout'], fields.timeout) },
    cache: readFlag(r, [...path, 'cache'], fields.cache, inherited.cache, '`cache`'),
    resources: readResources(r, [...path, 'resources'], fields.resources, {
      ...manifest?.resources,
      ...inherited.resources,
    }),
  };
  // A group is not repeated as a whole unless asked to: its stages are.
  if (child && fields.retry === undefined) plan.retry.maxAttempts = 1;
  if (manifest) Object.assign(plan, { uses: manifest.id, version: manifest.version });
  if (fields.title !== undefined) plan.title = readText(r, [...path, 'title'], fields.title, '`title`');
  if (fields.when !== undefined) plan.when = checkCondition(r, [...path, 'when'], fields.when, base, onRead, '`when`');
  if (fields.onSkipped !== undefined)
    plan.onSkipped = readChoice(r, [...path, 'onSkipped'], fields.onSkipped, ['skip', 'run'], '`onSkipped`') ?? 'skip';
  plan.approve = readApprove(r, [...path, 'approve'], fields.approve);
  plan.onFailure = readOnFailure(r, [...path, 'onFailure'], fields.onFailure);
  readNeeds(level, declared, plan, need);

  const fan = readFanOut(level, declared, base, onRead, onReference);
  const inner: Scope = fan ? { ...base, [fan.plan.as]: fan.item } : base;
  const withPath = [...path, 'with'];
  const given = fields.with === undefined || fields.with === null ? {} : fields.with;
  if (!isFields(given))
    r.report(withPath, 'wrong-type', '`with` must be a mapping', {
      expected: 'inputs and options by name',
      found: showValue(given),
    });
  else if (manifest) {
    const options: Fields = {};
    for (const [name, value] of Object.entries(given)) {
      if (Object.hasOwn(manifest.inputs, name)) {
        const type = onReference([...withPath, name], value, inner);
        plan.inputs[name] = value as Value;
        const wanted = typeOfArtifact(manifest.inputs[name]!);
        if (!assignable(type, { ...wanted, value: undefined }))
          r.report(
            [...withPath, name],
            'wrong-kind',
            `The input \`${name}\` of ${manifest.id} takes a ${formatType(wanted)}`,
            {
              expected: formatType(wanted),
              found: `${formatType(type)}: ${showValue(value)}`,
            },
          );
      } else if (Object.hasOwn(manifest.options.shape, name)) options[name] = value;
      else {
        const names = [...Object.keys(manifest.inputs), ...Object.keys(manifest.options.shape)];
        r.report([...withPath, name], 'unknown-option', `${manifest.id} has no option or input \`${name}\``, {
          at: 'key',
          expected: `one of ${names.join(', ')}`,
          found: name,
          suggestion: didYouMean(name, names),
        });
      }
    }
    for (const [name, input] of Object.entries(manifest.inputs)) {
      if (input.optional) continue;
      plan.required.push(name);
      if (!Object.hasOwn(given, name))
        r.report(
          Object.hasOwn(fields, 'with') ? withPath : path,
          'missing-input',
          `${manifest.id} needs the input \`${name}\``,
          {
            at: 'key',
            expected: `${name}: "\${{ stages.STAGE.OUTPUT }}" (${formatType(typeOfArtifact(input))})`,
          },
        );
    }
    plan.options = checkOptions(
      { r, path: withPath, stagePath: path, scope: inner, onRead, params: level.params },
      manifest,
      options,
    );
    if (level.dir) plan.dir = level.dir;
  } else if (child) plan.group = checkGroup(level, declared, plan, given, fan, inner, onRead, need);
  else if (Object.keys(given).length > 0) checkValue(r, withPath, given, inner, onRead);

  if (fan) plan.fanOut = fan.plan;
  const judged = { ...base, ...ownOutputs(declared, declared.type.fields) };
  const onOwnRead: OnRead = (read, at) => {
    if (!keepOwn(declared.outputs, declared.type.fields, read)) onRead(read, at);
  };
  if (fan?.plan.kind === 'sweep')
    checkSweepConditions(
      { r, path: [...path, 'sweep'], scope: base, onRead: onOwnRead, onReference: () => ({ t: 'dyn' }) },
      fan.plan,
      { ...inner, ...ownOutputs(declared, declared.item) },
    );
  if (fields.gate !== undefined)
    plan.gate = checkCondition(r, [...path, 'gate'], fields.gate, judged, onOwnRead, '`gate`');
  return plan;
}

function checkUses({ r, c }: Level, { id, path, fields, manifest, child }: Declared): void {
  const { uses } = fields;
  if (fields.stages !== undefined && uses !== undefined)
    r.report([...path, 'uses'], 'conflict', `The stage \`${id}\` has both \`uses\` and \`stages\``, {
      at: 'key',
      expected: 'one of them',
    });
  if (
    fields.outputs !== undefined &&
    !child &&
    fields.stages === undefined &&
    !(typeof uses === 'string' && isFile(uses))
  )
    r.report([...path, 'outputs'], 'conflict', '`outputs` belongs to a group (`stages`, or `uses: ./other.yaml`)', {
      at: 'key',
    });
  if (fields.stages !== undefined || manifest || child) return;
  if (uses === undefined) {
    r.report(path, 'missing-key', `The stage \`${id}\` needs \`uses\``, {
      at: 'key',
      expected: 'uses: PLUGIN/STAGE, or a group: stages + outputs',
    });
    return;
  }
  if (typeof uses !== 'string') {
    r.report([...path, 'uses'], 'wrong-type', '`uses` must be text', {
      expected: 'PLUGIN/STAGE',
      found: showValue(uses),
    });
    return;
  }
  if (isFile(uses)) return;
  const [plugin = '', name = ''] = uses.split('/');
  const known = c.registry.get(plugin);
  if (!known) {
    const ids = stageIds(c.registry);
    const plugins = [...c.registry.keys()];
    const near = didYouMean(plugin, plugins);
    const whole = didYouMean(uses, ids);
    r.report([...path, 'uses'], 'unknown-plugin', `No plugin \`${plugin}\` is installed`, {
      expected: `one of ${plugins.sort().join(', ') || '(none installed)'}`,
      found: uses,
      suggestion: whole ?? (near ? `${near}/${name}` : undefined),
    });
    return;
  }
  const names = Object.keys(known.stages);
  const near = didYouMean(name, names);
  r.report([...path, 'uses'], 'unknown-stage', `The plugin \`${plugin}\` has no stage \`${name}\``, {
    offset: plugin.length + 1,
    expected: `one of ${names.map((n) => `${plugin}/${n}`).join(', ')}`,
    found: uses,
    suggestion: near ? `${plugin}/${near}` : undefined,
  });
}

function readNeeds({ r, stages }: Level, { path, fields, id }: Declared, plan: StagePlan, need: OnOuter): void {
  if (fields.needs === undefined) return;
  const at = [...path, 'needs'];
  const list = typeof fields.needs === 'string' ? [fields.needs] : fields.needs;
  if (!Array.isArray(list)) {
    r.report(at, 'wrong-type', '`needs` must be a list of stages', {
      expected: 'for example [train, evaluate]',
      found: showValue(fields.needs),
    });
    return;
  }
  for (const [i, name] of list.entries()) {
    const itemPath = typeof fields.needs === 'string' ? at : [...at, i];
    if (typeof name === 'string' && stages.has(name)) {
      plan.after.push(name);
      need(name, itemPath);
    } else {
      const others = [...stages.keys()].filter((other) => other !== id);
      r.report(itemPath, 'unknown-reference', `There is no stage ${showValue(name)} beside \`${id}\``, {
        expected: `one of ${others.join(', ')}`,
        found: showValue(name),
        suggestion: didYouMean(String(name), others),
      });
    }
  }
}

function readFanOut(
  level: Level,
  { path, fields, id }: Declared,
  base: Scope,
  onRead: OnRead,
  onReference: (at: DocPath, value: unknown, scope: Scope) => ValueType,
): CheckedFanOut | undefined {
  const { r } = level;
  if (fields.forEach !== undefined && fields.sweep !== undefined)
    r.report([...path, 'sweep'], 'conflict', `The stage \`${id}\` has both \`forEach\` and \`sweep\``, {
      at: 'key',
      expected: 'one of them; put the other inside a group',
    });
  const key = fields.forEach !== undefined ? 'forEach' : 'sweep';
  if (fields[key] === undefined) return undefined;
  const site = {
    r,
    path: [...path, key],
    scope: base,
    onRead,
    onReference: (at: DocPath, value: unknown) => onReference(at, value, base),
  };
  return key === 'forEach' ? readForEach(site, fields.forEach) : readSweep(site, fields.sweep);
}

/** Checks a value that must stand for an artifact. */
function checkArtifact(
  level: Level,
  at: DocPath,
  value: unknown,
  scope: Scope,
  onRead: OnRead,
  need: OnOuter,
): ValueType {
  const { r } = level;
  const template = typeof value === 'string' ? parseTemplate(value) : undefined;
  if (!template?.whole) {
    if (template?.unclosed !== undefined)
      r.report(at, 'expression-syntax', 'An expression begins with `${{` but does not end', {
        offset: template.unclosed,
        expected: '`}}`',
      });
    else
      r.report(at, 'wrong-kind', 'This takes an artifact of a stage, not a plain value', {
        expected: '"${{ stages.STAGE.OUTPUT }}"',
        found: showValue(value),
      });
    return { t: 'dyn' };
  }
  const { expression, offset } = template.segments[0] as { expression: string; offset: number };
  const { type, errors, reads, names, sources } = checkReference(expression, scope);
  for (const e of errors)
    r.report(at, e.code, e.message, {
      expected: e.expected,
      found: e.found,
      suggestion: e.suggestion,
      offset: offset + e.start,
    });
  for (const read of reads) onRead(read, at);
  for (const [root, id] of sources) if (root === 'stages' && id !== undefined) need(id, at);
  for (const { name, optional } of names) level.c.names.set(name, (level.c.names.get(name) ?? true) && optional);
  if (
    errors.length === 0 &&
    type.t !== 'artifact' &&
    type.t !== 'dyn' &&
    !(type.t === 'list' && type.of.t === 'artifact')
  )
    r.report(at, 'wrong-kind', 'This takes an artifact of a stage', {
      expected: 'an artifact',
      found: formatType(type),
    });
  return errors.length === 0 ? type : { t: 'dyn' };
}

function checkGroup(
  level: Level,
  declared: Declared,
  plan: StagePlan,
  given: Fields,
  fan: CheckedFanOut | undefined,
  scope: Scope,
  onRead: OnRead,
  need: OnOuter,
): StagePlan['group'] {
  const { r } = level;
  const { path, fields } = declared;
  const child = declared.child!;
  const file = child.outer === undefined;
  const withPath = [...path, 'with'];
  if (file) {
    for (const problem of paramProblems(child.params, given)) {
      if (Object.hasOwn(given, problem.name) && Object.hasOwn(child.params, problem.name)) continue;
      const known = Object.hasOwn(given, problem.name);
      r.report(
        known ? [...withPath, problem.name] : path,
        'param-invalid',
        `${String(fields.uses)}: ${problem.message}`,
        {
          at: 'key',
          suggestion: problem.suggestion,
        },
      );
    }
    for (const [name, value] of Object.entries(given)) {
      const param = Object.hasOwn(child.params, name) ? child.params[name]! : undefined;
      const type = checkValue(r, [...withPath, name], value, scope, onRead);
      if (!param) continue;
      const problem = hasExpression(value)
        ? type &&
          !assignable(type, typeOfParam(param)) &&
          `expected ${formatType(typeOfParam(param))}, found ${formatType(type)}`
        : paramProblem(param, value);
      if (problem)
        r.report([...withPath, name], 'param-invalid', `${String(fields.uses)}: \`${name}\`: ${problem}`, {
          found: showValue(value),
        });
    }
    plan.options = given as Record<string, Json>;
  } else {
    if (Object.keys(given).length > 0)
      r.report(
        withPath,
        'conflict',
        '`with` has no meaning for stages written here: they read params and stages around them themselves',
        { at: 'key' },
      );
    // The variable's type was unknown when the group was declared.
    if (fan) child.variables = { ...child.variables, [fan.plan.as]: fan.item };
  }
  if (fields.outputs !== undefined) checkGroupOutputs(level, declared);
  const stages = checkLevel(child, file ? undefined : need, {
    cache: plan.cache,
    timeout: plan.timeout,
    resources: plan.resources,
  });
  return {
    stages,
    outputs: isFields(fields.outputs) ? (fields.outputs as Record<string, Value>) : {},
    ...(file ? { params: child.params, file: String(fields.uses) } : {}),
  };
}

function checkGroupOutputs(level: Level, { path, fields, child }: Declared): void {
  const { r } = level;
  const at = [...path, 'outputs'];
  if (!isFields(fields.outputs)) {
    r.report(at, 'wrong-type', '`outputs` must map names to artifacts of the stages within', {
      found: showValue(fields.outputs),
    });
    return;
  }
  checkIds(r, at, Object.keys(fields.outputs), 'output');
  const inside: Scope = {
    stages: { ...(scopeOf({ ...child!, outer: undefined }).stages as object), owner: 'The group' } as ValueType,
  };
  for (const [name, value] of Object.entries(fields.outputs))
    checkArtifact(
      level,
      [...at, name],
      value,
      inside,
      () => {},
      () => {},
    );
}

/** A stage's own outputs, as its gate sees them: by name, and the first metrics as `metrics`. */
function ownOutputs(declared: Declared, types: Record<string, ValueType>): Scope {
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
function keepOwn(outputs: Record<string, OutputPlan>, types: Record<string, ValueType>, read: string[]): boolean {
  const root = read[0]!;
  if (['params', 'run', 'stages'].includes(root)) return false;
  const name = Object.hasOwn(outputs, root)
    ? root
    : Object.keys(outputs).find((output) => outputs[output]!.kind === 'metrics');
  if (name === undefined || (root !== 'metrics' && name !== root)) return false;
  if (types[name]?.t === 'artifact' && outputs[name]!.kind === 'metrics') addKeep(outputs[name]!, read.slice(1));
  return true;
}

function keepMetrics(level: Level, read: string[]): void {
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
