import { hostRandom } from '@hourglass/engine';
import {
  fitHistogram,
  fitIsolationForest,
  fitPca,
  histogramSurprise,
  isolationScore,
  localDensity,
  localOutlierFactor,
  neighbourIndex,
  pcaReconstruct,
  pcaTransform,
  type NumberMatrix,
} from '@hourglass/metrics';
import type { Baseline } from './metrics-schema.ts';

/** Scores of the rows `test` by a simple detector fitted on the rows `train`, with the customary settings. */
export function baselineScores(
  baseline: Baseline,
  train: NumberMatrix,
  test: NumberMatrix,
  seed: number,
): ArrayLike<number> {
  return DETECTORS[baseline](train, test, seed);
}

const NEAREST = 5;
const LOCAL = 20;
const BINS = 10;
/** Of the variance, that PCA keeps. */
const EXPLAINED = 0.9;

const DETECTORS: Record<Baseline, (train: NumberMatrix, test: NumberMatrix, seed: number) => ArrayLike<number>> = {
  knn(train, test) {
    const k = Math.min(NEAREST, train.rows);
    const { squared } = neighbourIndex(train).query(test, k);
    return Float64Array.from({ length: test.rows }, (_, i) => squared[i * k + k - 1]!);
  },
  lof(train, test) {
    const k = Math.max(1, Math.min(LOCAL, train.rows - 1));
    const index = neighbourIndex(train);
    return localOutlierFactor(localDensity(index, train, k), index.query(test, k));
  },
  pca(train, test) {
    const all = fitPca(train, Math.min(train.rows, train.cols));
    let kept = 0;
    let share = 0;
    while (kept < all.k && share < EXPLAINED) share += all.explainedVarianceRatio[kept++]!;
    const pca = { ...all, k: kept, components: all.components.slice(0, kept * train.cols) };
    const back = pcaReconstruct(pca, pcaTransform(pca, test));
    const errors = new Float64Array(test.rows);
    for (let k = 0; k < back.length; k++) errors[Math.floor(k / test.cols)]! += (test.data[k]! - back[k]!) ** 2;
    return errors;
  },
  hbos(train, test) {
    const scores = new Float64Array(test.rows);
    for (let j = 0; j < train.cols; j++) {
      const column = Float64Array.from({ length: train.rows }, (_, i) => train.data[i * train.cols + j]!);
      const histogram = fitHistogram(column, BINS);
      for (let i = 0; i < test.rows; i++) scores[i]! += histogramSurprise(histogram, test.data[i * test.cols + j]!);
    }
    return scores;
  },
  iforest(train, test, seed) {
    const random = hostRandom(seed, 7);
    return isolationScore(fitIsolationForest(train, random.uniform), test);
  },
};
