import type { StagePlan } from './plan.ts';

/** Metric paths kept of one execution: those of the stage, without the key that collection puts in front. */
export function itemKeep(stage: StagePlan, output: string): string[][] {
  const keep = stage.outputs[output]?.keep ?? [];
  if (stage.fanOut?.kind !== 'forEach') return keep;
  return keep.filter((path) => path[0] !== '*keys').map((path) => path.slice(1));
}
