import { HourglassError } from '@hourglass/core';

export interface Divergence {
  epoch: number;
  /** Step over the whole training, 0-based. */
  step: number;
  lastFinite: number | undefined;
  rate: number;
  found: number;
}

/** The error of a loss that is no number any more, with the likely cause. */
export function diverged({ epoch, step, lastFinite, rate, found }: Divergence): HourglassError {
  const cause =
    lastFinite === undefined
      ? 'it was not finite at the very first step, so the data or their normalisation hold extreme values: use normalisation rank-gauss or check the columns'
      : 'the likely cause is a learning rate too high for this network: lower learningRate (a tenth is a good next try) or clipNorm';
  return new HourglassError(
    'TRAINING_DIVERGED',
    `the loss became ${found} in epoch ${epoch} (step ${step}); the last finite loss was ` +
      `${lastFinite === undefined ? 'none' : lastFinite.toPrecision(4)} at learning rate ${rate.toPrecision(3)}; ${cause}`,
    { details: { epoch, step, lastFinite, learningRate: rate } },
  );
}
