import {
  fitPatchBasis,
  gaussianFilter,
  medianFilter,
  pcaWiener,
  pictureScorer,
  totalVariation,
  type PictureScore,
  type Samples,
} from '@hourglass/metrics';

import type { Baseline } from '../evaluate-options.ts';

export interface BaselineAnswer extends PictureScore {
  setting: number;
  filter(image: Samples): Samples;
}

/** Pictures each strength is tried on. */
const TRIAL = 32;

/**
 * A filter at the strength that is best on these pictures: the peer has seen the truth, which we have not.
 * @param level strength of the noise, from which pca-wiener's strengths start
 */
export function bestBaseline(
  name: Baseline,
  truth: readonly Samples[],
  noisy: readonly Samples[],
  reference: readonly Samples[],
  level: number,
): BaselineAnswer {
  const filters = settingsOf(name, truth, reference, level).map(({ setting, filter }) => ({
    setting,
    filter: (image: Samples) => withinBrightness(filter(image)),
  }));
  const scored = (filter: (image: Samples) => Samples, count: number): PictureScore => {
    const scorer = pictureScorer();
    for (let i = 0; i < Math.min(count, truth.length); i++) scorer.add(truth[i]!, filter(noisy[i]!));
    return scorer.score();
  };
  const best = filters
    .map((one) => ({ ...one, trial: scored(one.filter, TRIAL).psnr }))
    .reduce((a, b) => (b.trial > a.trial ? b : a));
  return { setting: best.setting, filter: best.filter, ...scored(best.filter, truth.length) };
}

/** Answers as a picture can show them, 0 … 1: a model's are brought there too. */
export const withinBrightness = (image: Samples): Samples => ({
  ...image,
  values: image.values.map((value) => Math.min(1, Math.max(0, value))),
});

function settingsOf(
  name: Baseline,
  truth: readonly Samples[],
  reference: readonly Samples[],
  level: number,
): { setting: number; filter: (image: Samples) => Samples }[] {
  const of = (settings: number[], filter: (image: Samples, setting: number) => Samples) =>
    settings.map((setting) => ({ setting, filter: (image: Samples) => filter(image, setting) }));
  switch (name) {
    case 'gaussian':
      return of([0.4, 0.55, 0.7, 0.85, 1, 1.3], gaussianFilter);
    case 'median':
      return of([1, 2], medianFilter);
    case 'tv':
      return of([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5], totalVariation);
    case 'pca-wiener':
      return sidesOf(truth, reference).flatMap((side) => {
        const basis = fitPatchBasis(reference, side);
        return [0.5, 0.7, 0.85, 1, 1.2]
          .map((factor) => factor * Math.max(0.01, level))
          .map((sigma) => ({ setting: sigma, filter: pcaWiener(basis, sigma) }));
      });
  }
}

const PATCH = 8;
/** Values of a picture beyond which axes of whole pictures are not computed: the cost grows with their cube. */
const WIDEST = 1024;

/**
 * Sides of the squares to look at: patches, and whole pictures where they are small squares of one size, as digits are, and
 * others than those measured: axes of those themselves would know the answer.
 */
function sidesOf(truth: readonly Samples[], reference: readonly Samples[]): number[] {
  const pictures = [...truth, ...reference];
  const [{ width, channels }] = pictures as [Samples];
  const patch = Math.min(PATCH, ...pictures.map((picture) => Math.min(picture.width, picture.height)));
  const whole =
    reference !== truth &&
    width > patch &&
    width * width * channels <= WIDEST &&
    pictures.every((picture) => picture.width === width && picture.height === width);
  return whole ? [patch, width] : [patch];
}
