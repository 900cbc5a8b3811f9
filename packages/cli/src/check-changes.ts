import { didYouMean, findStagePlan, HourglassError, type Plan, stagePathOf, stagePaths } from '@hourglass/core';
import type { Plugins } from '@hourglass/runtime';
import { z } from 'zod';
import type { OptionChange } from './option-change.ts';

/**
 * Refuses options changed by `--with` that the stages do not have, or that cannot be so, before anything runs.
 * @throws CALL_INVALID
 */
export function checkChanges(plan: Plan, plugins: Plugins, changes: readonly OptionChange[]): void {
  for (const { stage, option, value } of changes) {
    // An item of a fan-out has the options of its stage.
    const path = stagePathOf(stage);
    const found = findStagePlan(plan, path)?.stage;
    const refuse = (message: string): never => {
      throw new HourglassError('CALL_INVALID', `--with ${stage}.${option}: ${message}`);
    };
    const refuseName = (name: string, names: readonly string[], what: string): never => {
      const near = didYouMean(name, [...names]);
      return refuse(`${what}${near ? ` Did you mean ${near}?` : ''} There are ${names.join(', ') || 'none'}.`);
    };
    if (!found) return refuseName(stage, stagePaths(plan), `there is no stage ${stage} in ${plan.name}.`);
    if (found.uses === undefined) {
      const params = Object.keys(found.group?.params ?? {});
      if (found.group?.params === undefined)
        refuse(`${stage} is a group; options are those of its stages, such as ${stage}.${found.group?.stages[0]?.id}.`);
      else if (!params.includes(option)) refuseName(option, params, `${found.group.file} has no param ${option}.`);
      continue;
    }
    const { manifest } = plugins.stage(found.uses);
    const shape = manifest.options.shape as Record<string, z.ZodType>;
    if (!Object.hasOwn(shape, option)) refuseName(option, Object.keys(shape), `${found.uses} has no option ${option}.`);
    const { error } = shape[option]!.safeParse(value);
    if (error) refuse(`${z.prettifyError(error).replace(/^✖ /, '')}, found ${JSON.stringify(value)}.`);
  }
}
