import type { ParamArrays } from '@hourglass/engine';
import type { Trained } from './task.ts';

/** What a train stage says of one training. */
export interface TrainedMetrics {
  loss: number;
  validationLoss?: number;
  bestEpoch: number;
  epochs: number;
  steps: number;
  parameters: number;
}

export const trainedMetrics = ({ loss, validationLoss, bestEpoch, curve, steps, params }: Trained): TrainedMetrics => ({
  loss,
  ...(validationLoss === undefined ? {} : { validationLoss }),
  bestEpoch,
  epochs: curve.at(-1)?.epoch ?? 0,
  steps,
  parameters: parameterCount(params),
});

/** Numbers of a network. */
export const parameterCount = (params: ParamArrays): number =>
  Object.values(params).reduce((sum, { values }) => sum + values.length, 0);
