import { z } from 'zod';
import { paramProblem } from './compile/params.ts';
import { showValue } from './compile/reporter.ts';
import { unknownKeys } from './compile/unknown-keys.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Json, Plan } from './plan.ts';
import { stagePathOf } from './reduce/path.ts';
import { findStage } from './registry.ts';
import type { Registry } from './registry.ts';
import { findStagePlan, stagePaths } from './select.ts';

/**
 * Why an option of a stage cannot be changed to a value, for a retry; undefined when it can. Of a stage whose plugin is
 * not installed here nothing is known: that is left to where it runs.
 * @param stage its path; an item of a fan-out has the options of its stage
 */
export function optionProblem(
  plan: Plan,
  registry: Registry,
  stage: string,
  option: string,
  value: Json,
): string | undefined {
  const found = findStagePlan(plan, stagePathOf(stage))?.stage;
  if (!found)
    return (
      wholeOption(plan, registry, stage, option, value) ??
      unknown(`there is no stage ${stage} in ${plan.name}`, stage, stagePaths(plan))
    );
  if (found.group) {
    const { params, file, stages } = found.group;
    if (!params) return `${stage} is a group; options are those of its stages, such as ${stage}.${stages[0]?.id}.`;
    if (!Object.hasOwn(params, option)) return unknown(`${file} has no param ${option}`, option, Object.keys(params));
    const problem = paramProblem(params[option]!, value);
    return problem && `${problem}, found ${showValue(value)}.`;
  }
  const manifest = findStage(registry, found.uses!);
  if (!manifest) return undefined;
  const shape = manifest.options.shape as Record<string, z.ZodType>;
  if (!Object.hasOwn(shape, option))
    return unknown(`${manifest.id} has no option ${option}`, option, Object.keys(shape));
  const { error } = shape[option]!.safeParse(value);
  if (error) return `${z.prettifyError(error).replace(/^✖ /, '')}, found ${showValue(value)}.`;
  const [first] = unknownKeys(shape[option]!, value);
  return first && unknown(`${option} has no key ${first.path.join('.')}`, String(first.path.at(-1)), first.names);
}

function unknown(what: string, name: string, names: string[]): string {
  const near = didYouMean(name, names);
  return `${what}.${near ? ` Did you mean ${near}?` : ''} There are ${names.join(', ') || 'none'}.`;
}

/** `held.contract.minRows`: a key within an option, which is changed as a whole. */
function wholeOption(plan: Plan, registry: Registry, stage: string, option: string, value: Json): string | undefined {
  const steps = [...stagePathOf(stage).split('.'), option];
  for (let i = 1; i < steps.length - 1; i++) {
    const path = steps.slice(0, i).join('.');
    const uses = findStagePlan(plan, path)?.stage.uses;
    const manifest = uses === undefined ? undefined : findStage(registry, uses);
    if (!manifest || !Object.hasOwn(manifest.options.shape, steps[i]!)) continue;
    const whole = steps.slice(i + 1).reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
    return `an option is changed as a whole; give ${path}.${steps[i]} with all its keys as JSON: ${path}.${steps[i]}='${JSON.stringify(whole)}'.`;
  }
  return undefined;
}
