import { nearNames } from './did-you-mean.ts';
import { HourglassError } from './error.ts';
import type { Plan, StagePlan } from './plan.ts';
import { stagePaths } from './select.ts';

/** The plan with stages that never run; what depends on them is skipped too, unless it says `onSkipped: run`. */
export function skipStages(plan: Plan, paths: readonly string[]): Plan {
  if (paths.length === 0) return plan;
  const all = stagePaths(plan);
  for (const path of paths) {
    if (all.includes(path)) continue;
    const near = nearNames(path, all);
    throw new HourglassError(
      'CALL_INVALID',
      `--skip: ${plan.name} has no stage \`${path}\`.${near.length ? ` Did you mean ${near.join(' or ')}?` : ` Its stages: ${all.join(', ')}.`}`,
    );
  }
  const visit = (stages: StagePlan[], prefix: string): StagePlan[] =>
    stages.map((stage) => {
      const path = prefix + stage.id;
      const skipped = paths.includes(path) ? { when: 'false' } : {};
      const group = stage.group && { ...stage.group, stages: visit(stage.group.stages, `${path}.`) };
      return { ...stage, ...skipped, ...(group ? { group } : {}) };
    });
  return { ...plan, stages: visit(plan.stages, '') };
}
