import { auroc } from '@hourglass/metrics';
import { PSEUDO_KINDS, type PseudoKind } from '../pseudo-kinds.ts';

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

/** With this many held-out rows, choice and equal weights count half each: few rows choose badly. */
const DOUBT = 20;

/**
 * Chooses how scores are added, without labels: every way to share six sixths among them, judged by the mean AUROC of
 * held-out normals against each kind of pseudo-anomaly. The choice is trusted as far as swapped rows, the kind that leaves
 * every column as it was, can be told from normal ones at all: where columns hardly depend on each other, or most cells are
 * one value, spoiled rows cannot show which score is good, and all count more alike.
 *
 * @param normal - surprise of held-out normal rows by score
 * @param kinds - the same of each kind of pseudo-anomaly; all of one length
 */
export function chooseWeights<Name extends string>(
  normal: Record<Name, Float64Array>,
  kinds: Record<PseudoKind, Record<Name, Float64Array>>,
): ChosenWeights<Name> {
  const names = Object.keys(normal) as Name[];
  const spoiled = PSEUDO_KINDS.map((kind) => kinds[kind]);
  const normals = normal[names[0]!].length;
  const labels = Uint8Array.from({ length: normals + spoiled[0]![names[0]!].length }, (_, i) => (i < normals ? 0 : 1));
  const all = spoiled.map((kind) => names.map((name) => Float64Array.from([...normal[name], ...kind[name]])));
  // Spoiled rows that most scores find more normal than normal rows are none: between the rows of one round cluster, say.
  const sensible = all.filter((scores) => median(scores.map((own) => auroc(labels, own))) >= 0.5);
  const columns = sensible.length > 0 ? sensible : all;
  const told = (weights: number[], scores: Float64Array[]): number => {
    const fused = new Float64Array(labels.length);
    weights.forEach((weight, c) => {
      if (weight > 0) for (let i = 0; i < fused.length; i++) fused[i]! += weight * scores[c]![i]!;
    });
    return auroc(labels, fused);
  };
  const judge = (weights: number[]): number =>
    columns.reduce((sum, scores) => sum + told(weights, scores) / columns.length, 0);
  const judged = shares(names.length, STEPS).map((weights) => ({ weights, auroc: judge(weights) }));
  const best = Math.max(...judged.map((each) => each.auroc));
  const good = judged.filter((each) => each.auroc >= best - near(normals, spoiled.length));
  const swapped = all[PSEUDO_KINDS.indexOf('swap')]!;
  const tellable = Math.max(0, ...good.map(({ weights }) => 2 * told(weights, swapped) - 1));
  const trust = (tellable * normals) / (normals + DOUBT);
  const mean = names.map(
    (_, c) =>
      trust * good.reduce((sum, { weights }) => sum + weights[c]! / good.length, 0) + (1 - trust) / names.length,
  );
  return {
    weights: Object.fromEntries(names.map((name, c) => [name, Math.round(mean[c]! * 1000) / 1000])) as Record<
      Name,
      number
    >,
    auroc: judge(mean),
  };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
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
