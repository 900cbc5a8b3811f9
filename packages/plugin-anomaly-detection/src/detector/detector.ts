import { concatRows, takeRows, type EncodedTable, type Model, type Predictor } from '@hourglass/autoencoder';
import { deriveSeed } from '@hourglass/core';
import { permutation } from '@hourglass/engine';
import { auroc } from '@hourglass/metrics';
import { cellErrors, fitErrorScale } from './cell-errors.ts';
import { COMPONENTS, type Component } from '../component-names.ts';
import { PSEUDO_KINDS, type PseudoKind } from '../pseudo-kinds.ts';
import { componentScorer, densityOf, scaleLatents, type Components, type FittedComponents } from './components.ts';
import { featureMatrix } from './feature-matrix.ts';
import { fitMarginals } from './marginals.ts';
import { pseudoAnomalies } from './pseudo-anomalies.ts';
import { fitSurpriseScale, surprise, type SurpriseScale } from './surprise-scale.ts';
import { chooseWeights } from './weights.ts';

/** Everything that turns an autoencoder into a score. */
export interface Detector {
  fitted: FittedComponents;
  /** How each component is brought to surprise; of those with weight. */
  scales: Partial<Record<Component, SurpriseScale>>;
  weights: Partial<Record<Component, number>>;
}

/** How a detector was chosen. */
export interface DetectorReport {
  weights: Record<Component, number>;
  /** AUROC of held-out normals against pseudo-anomalies, mean over kinds: of the fused score and of each component. */
  pseudoAuroc: number;
  components: Record<Component, number>;
  kinds: Record<PseudoKind, number>;
}

export interface DetectorOptions {
  /** Components to choose among. */
  scores: readonly Component[];
  /** Training rows kept for comparison at most. */
  bankRows: number;
}

/** Held-out rows that weights are chosen on at most: more change nothing but the time. */
const JUDGES = 1500;
const FEWEST_SPOILED = 400;

/**
 * Fits all components on training rows and their fusion on held-out normal rows.
 * @param fit - rows the networks were trained on
 * @param held - normal rows nothing has seen
 */
export async function fitDetector(
  model: Model,
  answer: Predictor,
  fit: EncodedTable,
  held: EncodedTable,
  options: DetectorOptions,
  seed: number,
): Promise<{ detector: Detector; report: DetectorReport }> {
  const { encoder } = model;
  const heldErrors = cellErrors(encoder, held, await answer.reconstruct(held));
  const first = await fitBank(model, answer, fit, options, seed);
  const fitted: FittedComponents = { ...first, errors: fitErrorScale(heldErrors, encoder.columns.length) };
  const score = componentScorer(model, answer, fitted, options.scores);
  const scales: Detector['scales'] = {};
  const raw = (await score(held)).scores;
  for (const name of options.scores) scales[name] = fitSurpriseScale(raw[name]!);
  const judges = sample(held, JUDGES, deriveSeed(seed, 'judges'));
  const surprises = async (rows: EncodedTable): Promise<Record<Component, Float64Array>> =>
    bySurprise((await score(rows)).scores, scales, options.scores);
  const normal = await surprises(judges);
  // Of few rows several spoiled copies each, so that chance does not choose the weights.
  const copies = Math.max(1, Math.ceil(FEWEST_SPOILED / judges.rows));
  const many = takeRows(
    judges,
    Int32Array.from({ length: judges.rows * copies }, (_, i) => i % judges.rows),
  );
  const spoiled = {} as Record<PseudoKind, Record<Component, Float64Array>>;
  for (const kind of PSEUDO_KINDS)
    spoiled[kind] = await surprises(pseudoAnomalies(encoder, many, fit, kind, deriveSeed(seed, 'pseudo')));
  const { weights, auroc: fused } = chooseWeights(normal, spoiled);
  const against = (pick: (scores: Record<Component, Float64Array>) => Float64Array, kind: PseudoKind): number => {
    const [a, b] = [pick(normal), pick(spoiled[kind])];
    return auroc(
      Uint8Array.from({ length: a.length + b.length }, (_, i) => (i < a.length ? 0 : 1)),
      Float64Array.from([...a, ...b]),
    );
  };
  const kept = Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0)) as Detector['weights'];
  return {
    detector: {
      // Now that nothing is judged by them any more, the held-out rows join those compared with.
      fitted: { ...fitted, ...(await fitBank(model, answer, concatRows([fit, held]), options, seed, first)) },
      weights: kept,
      scales: Object.fromEntries(Object.keys(kept).map((name) => [name, scales[name as Component]!])),
    },
    report: {
      weights: Object.fromEntries(COMPONENTS.map((name) => [name, weights[name] ?? 0])) as Record<Component, number>,
      pseudoAuroc: fused,
      components: Object.fromEntries(
        options.scores.map((name) => [
          name,
          PSEUDO_KINDS.reduce((sum, kind) => sum + against((s) => s[name], kind) / PSEUDO_KINDS.length, 0),
        ]),
      ) as Record<Component, number>,
      kinds: Object.fromEntries(PSEUDO_KINDS.map((kind) => [kind, against((s) => fuse(s, kept), kind)])) as Record<
        PseudoKind,
        number
      >,
    },
  };
}

/** What rows are compared with. @param like - keeps the scale of the latents, so that distances stay comparable */
async function fitBank(
  model: Model,
  answer: Predictor,
  rows: EncodedTable,
  { bankRows }: DetectorOptions,
  seed: number,
  like?: Pick<FittedComponents, 'latentScale'>,
): Promise<Omit<FittedComponents, 'errors'>> {
  const bank = sample(rows, bankRows, deriveSeed(seed, 'bank'));
  const z = await answer.latents(bank);
  const latentScale = like?.latentScale ?? momentsOf(z, model.description.network.latentDim);
  const points = featureMatrix(model.encoder, bank);
  return {
    marginals: fitMarginals(model.encoder, rows),
    rows: points,
    density: densityOf(points),
    latents: scaleLatents(z, bank.rows, latentScale),
    latentScale,
  };
}

/** Rows scored, with the cells behind the scores. */
export interface ScoredRows extends Components {
  /** `[n]`: the fused score. */
  score: Float64Array;
}

/** The fused score of encoded rows. */
export function detectorScorer(
  model: Model,
  answer: Predictor,
  { fitted, scales, weights }: Detector,
): (encoded: EncodedTable) => Promise<ScoredRows> {
  const names = Object.keys(weights) as Component[];
  const score = componentScorer(model, answer, fitted, names);
  return async (encoded) => {
    const components = await score(encoded);
    return { ...components, score: fuse(bySurprise(components.scores, scales, names), weights) };
  };
}

function bySurprise(
  scores: Components['scores'],
  scales: Detector['scales'],
  names: readonly Component[],
): Record<Component, Float64Array> {
  return Object.fromEntries(
    names.map((name) => [name, scores[name]!.map((value) => surprise(scales[name]!, value))]),
  ) as Record<Component, Float64Array>;
}

function fuse(scores: Record<string, Float64Array>, weights: Detector['weights']): Float64Array {
  const rows = Object.values(scores)[0]!.length;
  const fused = new Float64Array(rows);
  for (const [name, weight] of Object.entries(weights)) {
    const own = scores[name]!;
    for (let i = 0; i < rows; i++) fused[i]! += weight * own[i]!;
  }
  return fused;
}

/** At most `count` rows, drawn by the seed, in their order. */
function sample(rows: EncodedTable, count: number, seed: number): EncodedTable {
  return rows.rows <= count ? rows : takeRows(rows, permutation(rows.rows, seed, 0).slice(0, count).sort());
}

function momentsOf(z: Float32Array, d: number): FittedComponents['latentScale'] {
  const rows = z.length / d;
  const mean = new Array<number>(d).fill(0);
  const deviation = new Array<number>(d).fill(0);
  for (let k = 0; k < z.length; k++) mean[k % d]! += z[k]! / rows;
  for (let k = 0; k < z.length; k++) deviation[k % d]! += (z[k]! - mean[k % d]!) ** 2 / rows;
  return { mean, deviation: deviation.map((variance) => Math.sqrt(variance) || 1) };
}
