import type { BenchmarkResult } from './benchmark.ts';
import { deviation, mean } from './spread.ts';

/** What `synthetic-data/evaluate` says of drawn rows, as far as it is shown. */
export interface Worth {
  shapes: number;
  pairs: number;
  quality: number;
  utility: { logistic: number; forest: number };
  discriminator: number;
  closest: { share: number };
  copies: number;
}

/** Mean, and the deviation where there are several. */
export const spread = (values: number[], digits = 3): string =>
  `${mean(values).toFixed(digits)}${values.length > 1 ? ` ± ${deviation(values).toFixed(digits)}` : ''}`;

/** The cells of a row, over splits. */
export function worthCells(worths: readonly Worth[]): BenchmarkResult['rows'][number] {
  const of = (pick: (worth: Worth) => number, digits?: number): string => spread(worths.map(pick), digits);
  return {
    quality: of(({ quality }) => quality),
    shapes: of(({ shapes }) => shapes),
    pairs: of(({ pairs }) => pairs),
    'TSTR logistic': of(({ utility }) => utility.logistic),
    'TSTR forest': of(({ utility }) => utility.forest),
    discriminator: of(({ discriminator }) => discriminator),
    'nearer share': of(({ closest }) => closest.share),
    copies: of(({ copies }) => copies, 0),
  };
}
