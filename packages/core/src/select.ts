import { nearNames } from './did-you-mean.ts';
import { HourglassError } from './error.ts';
import type { Plan, StagePlan } from './plan.ts';
import { indexOf } from './reduce/turn.ts';

/** Paths of all stages, insides of groups included: `regions`, `regions.train`. */
export function stagePaths(plan: Plan): string[] {
  const paths: string[] = [];
  const add = (stages: readonly StagePlan[], prefix: string): void => {
    for (const stage of stages) {
      paths.push(prefix + stage.id);
      if (stage.group) add(stage.group.stages, `${prefix}${stage.id}.`);
    }
  };
  add(plan.stages, '');
  return paths;
}

/** A stage by its path without keys, with the stages around it. */
export function findStagePlan(
  plan: Plan,
  path: string,
): { stage: StagePlan; siblings: readonly StagePlan[]; prefix: string } | undefined {
  let siblings: readonly StagePlan[] = plan.stages;
  let found: StagePlan | undefined;
  const ids = path.split('.');
  for (const [i, id] of ids.entries()) {
    found = indexOf(siblings).byId.get(id);
    if (!found) return undefined;
    if (i < ids.length - 1) siblings = found.group?.stages ?? [];
  }
  return found && { stage: found, siblings, prefix: path.slice(0, path.length - found.id.length) };
}

/** Stages that take part for `--only`: those named, all they need, and the groups they are in. */
export function withNeeded(plan: Plan, paths: readonly string[]): string[] {
  return closure(plan, paths, (stage) => stage.needs);
}

/** Stages computed anew for `--from`: those named and all that follow from them. */
export function withDependants(plan: Plan, paths: readonly string[]): string[] {
  return closure(plan, paths, (stage, siblings) => indexOf(siblings).dependants.get(stage.id)!);
}

function closure(
  plan: Plan,
  paths: readonly string[],
  next: (stage: StagePlan, siblings: readonly StagePlan[]) => readonly string[],
): string[] {
  const selected = new Set<string>();
  const inside = (stages: readonly StagePlan[], prefix: string): void => {
    for (const stage of stages) {
      selected.add(prefix + stage.id);
      if (stage.group) inside(stage.group.stages, `${prefix}${stage.id}.`);
    }
  };
  const follow = (siblings: readonly StagePlan[], prefix: string, id: string, whole: boolean): void => {
    const stage = indexOf(siblings).byId.get(id)!;
    if (selected.has(prefix + id) && !whole) return;
    const known = selected.has(prefix + id);
    selected.add(prefix + id);
    if (whole && stage.group) inside(stage.group.stages, `${prefix}${id}.`);
    if (!known) for (const other of next(stage, siblings)) follow(siblings, prefix, other, true);
  };
  for (const path of paths) {
    const ids = path.split('.');
    let siblings: readonly StagePlan[] = plan.stages;
    let prefix = '';
    for (const [i, id] of ids.entries()) {
      const stage = indexOf(siblings).byId.get(id);
      if (!stage) throw unknownStage(plan, path);
      follow(siblings, prefix, id, i === ids.length - 1);
      if (i < ids.length - 1 && !stage.group) throw unknownStage(plan, path);
      siblings = stage.group?.stages ?? [];
      prefix = `${prefix}${id}.`;
    }
  }
  return [...selected];
}

export function unknownStage(plan: Plan, path: string): HourglassError {
  const paths = stagePaths(plan);
  const near = nearNames(path, paths);
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  return new HourglassError(
    'CALL_INVALID',
    `There is no stage \`${path}\` in ${plan.name}. Its stages: ${paths.join(', ')}.${hint}`,
  );
}
