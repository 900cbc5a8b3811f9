import type { ItemContext } from '@hourglass/runtime';
import type { TrainingProgress } from './task.ts';

/**
 * Tells how a training stands: one line for people, the same as numbers.
 * @param start where this network's share of the whole begins, 0…1
 */
export function reportProgress(
  context: ItemContext,
  { epoch, epochs, loss, validationLoss, fraction, eta }: TrainingProgress,
  member: number,
  ensemble: number,
  start: number,
  share: number,
): void {
  const who = ensemble > 1 ? `network ${member + 1}/${ensemble} ` : '';
  const parts = [
    `${who}epoch ${epoch}/${epochs}`,
    ...(loss !== undefined ? [`loss ${loss.toFixed(4)}`] : []),
    ...(validationLoss !== undefined ? [`validation ${validationLoss.toFixed(4)}`] : []),
    `ETA ${Math.ceil(eta)} s`,
  ];
  context.progress(start + fraction * share, parts.join(' · '), {
    epoch,
    ...(loss !== undefined ? { loss } : {}),
    ...(validationLoss !== undefined ? { validationLoss } : {}),
    eta,
  });
}
