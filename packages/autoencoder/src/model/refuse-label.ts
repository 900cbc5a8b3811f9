import { HourglassError } from '@hourglass/core';
import type { Model } from './model.ts';

/**
 * A label the model has learned from must not score it: its latents hold the answer.
 * @throws INPUT_INVALID naming stage and column
 */
export function refuseLearnedLabel(stage: string, model: Pick<Model, 'encoder'>, label: string): void {
  if (!model.encoder.columns.some(({ name }) => name === label)) return;
  throw new HourglassError(
    'INPUT_INVALID',
    `${stage}: the label column "${label}" is among the columns the model learned, so its latents hold the answer and any score would be a leak; train with exclude: [${label}], or set learnedLabel: allow to score it nevertheless`,
    { details: { column: label } },
  );
}
