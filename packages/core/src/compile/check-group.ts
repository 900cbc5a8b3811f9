import type { Scope } from '../expression/check.ts';
import { hasExpression } from '../expression/template.ts';
import { assignable, formatType } from '../expression/value-type.ts';
import type { Json, StagePlan, Value } from '../plan.ts';
import { checkArtifact } from './check-artifact.ts';
import type { OnNeed } from './check-artifact.ts';
import { checkLevel } from './check-stage.ts';
import { checkValue } from './expressions.ts';
import type { OnRead } from './expressions.ts';
import type { CheckedFanOut } from './fan-out.ts';
import { stagesType } from './level.ts';
import type { Declared, Level } from './level.ts';
import { paramProblem, paramProblems, typeOfParam } from './params.ts';
import { checkIds, isFields, showValue } from './reporter.ts';
import type { Fields } from './reporter.ts';

/** Checks a group: its params where it is a file, its outputs, and the stages within. */
export function checkGroup(
  level: Level,
  declared: Declared,
  plan: StagePlan,
  given: Fields,
  fan: CheckedFanOut | undefined,
  scope: Scope,
  onRead: OnRead,
  need: OnNeed,
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
    stages: { ...stagesType(child!, false), owner: 'The group' },
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
