import { auroc } from '@hourglass/metrics';

/** Weights of the fused scores and how well they tell pseudo-anomalies from held-out normals. */
export interface ChosenWeights<Name extends string> {
  weights: Record<Name, number>;
  /** Mean AUROC over the kinds of pseudo-anomalies. */
  auroc: number;
}

/** Steps of a weight from 0 to 1. */
const STEPS = 6;
/**
 * Weights that come this near to the best are as good, and their mean is steadier than any of them: a fraction of the
 * error that an AUROC of so few rows has.
 */
const near = (normals: number, kinds: number): number => 0.15 / Math.sqrt(normals * kinds);

/**
 * Chooses how scores are added, without labels: every way to share six sixths among them, judged by the mean AUROC of
 * held-out normals against each kind of pseudo-anomaly.
 *
 * @param normal - surprise of held-out normal rows by score
 * @param spoiled - the same of each kind of pseudo-anomaly
 */
export function chooseWeights<Name extends string>(
  normal: Record<Name, Float64Array>,
  spoiled: Record<Name, Float64Array>[],
): ChosenWeights<Name> {
  const names = Object.keys(normal) as Name[];
  const labels = spoiled.map((kind) =>
    Uint8Array.from({ length: normal[names[0]!].length + kind[names[0]!].length }, (_, i) =>
      i < normal[names[0]!].length ? 0 : 1,
    ),
  );
  const columns = spoiled.map((kind) => names.map((name) => Float64Array.from([...normal[name], ...kind[name]])));
  const judge = (weights: number[]): number =>
    columns.reduce((sum, scores, k) => {
      const fused = new Float64Array(scores[0]!.length);
      weights.forEach((weight, c) => {
        if (weight > 0) for (let i = 0; i < fused.length; i++) fused[i]! += weight * scores[c]![i]!;
      });
      return sum + auroc(labels[k]!, fused) / columns.length;
    }, 0);
  const judged = shares(names.length, STEPS).map((weights) => ({ weights, auroc: judge(weights) }));
  const best = Math.max(...judged.map((each) => each.auroc));
  const good = judged.filter((each) => each.auroc >= best - near(normal[names[0]!].length, spoiled.length));
  const mean = names.map((_, c) => good.reduce((sum, { weights }) => sum + weights[c]! / good.length, 0));
  return {
    weights: Object.fromEntries(names.map((name, c) => [name, Math.round(mean[c]! * 1000) / 1000])) as Record<
      Name,
      number
    >,
    auroc: judge(mean),
  };
}

/** All ways to share `steps` equal pieces among `count` names, as fractions. */
function shares(count: number, steps: number): number[][] {
  if (count === 1) return [[1]];
  const all: number[][] = [];
  const place = (left: number, sofar: number[]): void => {
    if (sofar.length === count - 1) return void all.push([...sofar, left / steps]);
    for (let take = 0; take <= left; take++) place(left - take, [...sofar, take / steps]);
  };
  place(steps, []);
  return all;
}
