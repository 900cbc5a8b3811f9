import { movingMedian, neighbourMeans, rmse, wienerBasis, wienerRows, type NumberMatrix } from '@hourglass/metrics';

import type { RowBaseline } from '../evaluate-options.ts';

/** Rows of a run, standardised, missing cells 0 (the mean): what baselines are given. */
export interface Runs {
  truth: NumberMatrix;
  noisy: NumberMatrix & { data: Float64Array };
  /** 1 where a cell counts. */
  observed: Uint8Array;
  /** Rows of each run, in order: medians do not reach beyond. */
  lengths: number[];
}

export interface RowBaselineAnswer {
  setting: number;
  values: Float64Array;
}

const NEIGHBOURS = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100];
const REACHES = [1, 2, 3, 5, 8];
const FACTORS = [0.5, 0.7, 0.85, 1, 1.2, 1.5, 2];

/**
 * A filter at the setting that is best on these rows: the peer has seen the truth, which we have not.
 * @param reference clean rows, standardised alike @param same they are the rows measured @param level deviation of the noise
 */
export function bestRowBaseline(
  name: RowBaseline,
  { truth, noisy, observed, lengths }: Runs,
  reference: NumberMatrix,
  same: boolean,
  level: number,
): RowBaselineAnswer | undefined {
  const candidates = (): RowBaselineAnswer[] => {
    switch (name) {
      case 'pca-wiener': {
        if (reference.rows <= reference.cols) return [];
        const basis = wienerBasis(reference);
        const settings = FACTORS.map((factor) => factor * Math.max(0.01, level));
        return wienerRows(noisy, basis, settings).map((values, i) => ({ setting: settings[i]!, values }));
      }
      case 'knn': {
        const ks = NEIGHBOURS.filter((k) => k < reference.rows);
        if (ks.length === 0) return [];
        return neighbourMeans(reference, noisy, ks, same).map((values, i) => ({ setting: ks[i]!, values }));
      }
      case 'moving-median':
        return REACHES.map((setting) => ({ setting, values: medianOfRuns(noisy, lengths, setting) }));
    }
  };
  let best: (RowBaselineAnswer & { error: number }) | undefined;
  for (const one of candidates()) {
    const error = rmse(truth.data, one.values, observed);
    if (!best || error < best.error) best = { ...one, error };
  }
  return best && { setting: best.setting, values: best.values };
}

function medianOfRuns({ cols, data }: Runs['noisy'], lengths: number[], reach: number): Float64Array {
  const result = new Float64Array(data.length);
  let at = 0;
  for (const rows of lengths) {
    const run = data.subarray(at, at + rows * cols);
    result.set(movingMedian({ rows, cols, data: run }, reach), at);
    at += run.length;
  }
  return result;
}
