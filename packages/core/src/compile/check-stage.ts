import { didYouMean } from '../did-you-mean.ts';
import type { DocPath } from '../document.ts';
import type { Scope } from '../expression/check.ts';
import { parseTemplate } from '../expression/template.ts';
import { sourcesOf } from '../expression/reference.ts';
import { typeOfArtifact } from '../expression/schema-type.ts';
import { assignable, formatType } from '../expression/value-type.ts';
import type { ValueType } from '../expression/value-type.ts';
import type { StagePlan, Value } from '../plan.ts';
import { stageIds } from '../registry.ts';
import type { StageResources } from '../stage.ts';
import { checkArtifact } from './check-artifact.ts';
import type { OnNeed } from './check-artifact.ts';
import { checkGroup } from './check-group.ts';
import { checkCondition, checkValue } from './expressions.ts';
import type { OnRead } from './expressions.ts';
import { checkSweepConditions, readForEach, readSweep } from './fan-out.ts';
import type { CheckedFanOut } from './fan-out.ts';
import { warnOfLateJudgement } from './judged-late.ts';
import { isFile, scopeOf } from './level.ts';
import type { Declared, Level } from './level.ts';
import { checkOptions } from './options.ts';
import { orderStages } from './order.ts';
import type { Edge } from './order.ts';
import { keepMetrics, keepOwn, ownOutputs } from './metrics-kept.ts';
import { isFields, readChoice, readFields, readText, showValue } from './reporter.ts';
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

/** Checks the stages of a level and gives them in order. */
export function checkLevel(
  level: Level,
  onOuter: OnNeed = () => {},
  inherited: Inherited = { cache: true, timeout: {}, resources: {} },
): StagePlan[] {
  const edges: Edge[] = [];
  const plans = new Map<string, StagePlan>();
  for (const declared of level.stages.values()) {
    const needs = new Set<string>();
    const need = (id: string, path: DocPath): void => {
      if (!level.stages.has(id)) return onOuter(id, path);
      needs.add(id);
      edges.push({ from: declared.id, to: id, path });
    };
    const plan = checkStage(level, declared, need, inherited);
    plan.needs = [...needs];
    plans.set(declared.id, plan);
  }
  return orderStages(level.r, [...level.stages.keys()], edges).map((id) => plans.get(id)!);
}

function checkStage(level: Level, declared: Declared, need: OnNeed, inherited: Inherited): StagePlan {
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
  if (level.c.scheduled && plan.approve && plan.approve.timeout === undefined)
    r.report([...path, 'approve'], 'endless-approval', 'A scheduled run waits here for ever when nobody answers', {
      severity: 'warning',
      at: 'key',
      expected: 'a `timeout`, for example { timeout: 8h, onTimeout: reject }',
    });
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
  // The stage is not known, and so neither is which of these are artifacts.
  else
    for (const [name, value] of Object.entries(given))
      if (typeof value === 'string' && isChoice(value)) onReference([...withPath, name], value, inner);
      else checkValue(r, [...withPath, name], value, inner, onRead);

  if (plan.onSkipped === 'skip') warnOfSkip(level, plan, withPath);
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
  warnOfLateJudgement(level, declared, plan);
  return plan;
}

/** `first(…)` is of no use to a stage that is skipped together with what it chooses among. */
function warnOfSkip({ r, stages }: Level, plan: StagePlan, path: DocPath): void {
  for (const [name, value] of Object.entries(plan.inputs)) {
    if (typeof value !== 'string' || !/\bfirst\s*\(/.test(value)) continue;
    const skippable = sourcesOf(value).find(([, id]) => id !== undefined && stages.get(id)?.fields.when !== undefined);
    if (!skippable) continue;
    r.report(
      [...path, name],
      'skipped-choice',
      `\`${skippable[1]}\` may be skipped, and then this stage is skipped before it can choose`,
      {
        severity: 'warning',
        expected: '`onSkipped: run`',
      },
    );
  }
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

function readNeeds({ r, stages }: Level, { path, fields, id }: Declared, plan: StagePlan, need: OnNeed): void {
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

/** `${{ named("x@latest") }}`, `${{ first(a, b) }}`: only an artifact is written so. */
function isChoice(value: string): boolean {
  const { whole, segments } = parseTemplate(value);
  const [segment] = segments;
  return whole && segment !== undefined && 'expression' in segment && /^\s*(named|first)\s*\(/.test(segment.expression);
}
