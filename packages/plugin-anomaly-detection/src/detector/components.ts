import type { EncodedTable, Model, Predictor, Reconstruction } from '@hourglass/autoencoder';
import {
  localDensity,
  localOutlierFactor,
  neighbourIndex,
  type LocalDensity,
  type NumberMatrix,
} from '@hourglass/metrics';
import { COMPONENTS, type Component } from '../component-names.ts';
import { cellErrors, standardiseErrors, type ErrorScale } from './cell-errors.ts';
import { featureMatrix } from './feature-matrix.ts';
import { marginalSurprise, type Marginals } from './marginals.ts';

/** What the components were fitted to. */
export interface FittedComponents {
  errors: ErrorScale;
  marginals: Marginals;
  /** Training rows to compare with. */
  rows: NumberMatrix;
  /** How densely they lie. */
  density: LocalDensity;
  /** Their latents, in deviations. */
  latents: NumberMatrix;
  /** Mean and deviation of each latent dimension, so that none dominates the distance. */
  latentScale: { mean: number[]; deviation: number[] };
}

/** Few neighbours see fine structure; the pseudo-anomalies of all tables tried are told best by three. */
const LOCAL = 3;

/** Components of some rows, and the cells behind two of them. */
export interface Components {
  scores: Partial<Record<Component, Float64Array>>;
  reconstruction: Reconstruction;
  /** `[n, C]`: reconstruction errors in deviations, NaN where missing. */
  errors: Float64Array;
  /** `[n, C]` */
  marginal: Float64Array;
}

/** How densely each of the rows to compare with lies. */
export const densityOf = (points: NumberMatrix): LocalDensity => localDensity(neighbourIndex(points), points, LOCAL);

/** Computes components for encoded rows; those not wanted cost nothing. */
export function componentScorer(
  model: Model,
  answer: Predictor,
  fitted: FittedComponents,
  wanted: readonly Component[] = COMPONENTS,
): (encoded: EncodedTable) => Promise<Components> {
  const rowsIndex = wanted.some((name) => name === 'nearest' || name === 'local')
    ? neighbourIndex(fitted.rows)
    : undefined;
  const latentIndex = wanted.includes('latent') ? neighbourIndex(fitted.latents) : undefined;
  const columns = model.encoder.columns.length;
  return async (encoded) => {
    const reconstruction = await answer.reconstruct(encoded);
    const errors = standardiseErrors(cellErrors(model.encoder, encoded, reconstruction), fitted.errors);
    const marginal = marginalSurprise(model.encoder, encoded, fitted.marginals);
    const scores: Components['scores'] = {};
    if (wanted.includes('reconstruction')) scores.reconstruction = rowMeans(errors, encoded.rows, columns);
    if (wanted.includes('marginal')) scores.marginal = rowMeans(marginal, encoded.rows, columns);
    if (latentIndex) {
      const latents = scaleLatents(await answer.latents(encoded), encoded.rows, fitted.latentScale);
      scores.latent = distances(latentIndex.query(latents, 1).squared);
    }
    if (rowsIndex) {
      const k = wanted.includes('local') ? LOCAL : 1;
      const near = rowsIndex.query(featureMatrix(model.encoder, encoded), k);
      if (wanted.includes('nearest')) scores.nearest = distances(near.squared.filter((_, place) => place % k === 0));
      if (wanted.includes('local')) scores.local = localOutlierFactor(fitted.density, near).map(Math.log);
    }
    return { scores, reconstruction, errors, marginal };
  };
}

/** `[n, d]` latents in deviations. */
export function scaleLatents(
  z: Float32Array,
  rows: number,
  { mean, deviation }: FittedComponents['latentScale'],
): NumberMatrix {
  const cols = mean.length;
  return { rows, cols, data: z.map((value, k) => (value - mean[k % cols]!) / deviation[k % cols]!) };
}

const distances = (squared: Float64Array): Float64Array => squared.map((value) => Math.log(1e-6 + Math.sqrt(value)));

/** Mean over the cells that are there; 0, nothing unusual, for a row without any. */
function rowMeans(cells: Float64Array, rows: number, columns: number): Float64Array {
  const means = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    let count = 0;
    for (let j = 0; j < columns; j++) {
      const cell = cells[i * columns + j]!;
      if (Number.isNaN(cell)) continue;
      sum += cell;
      count++;
    }
    means[i] = count ? sum / count : 0;
  }
  return means;
}
