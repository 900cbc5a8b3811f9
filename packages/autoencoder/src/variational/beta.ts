export const BETA_SCHEDULES = ['constant', 'linear', 'cyclic'] as const;

/** How the weight of the KL term goes over the epochs. */
export interface BetaSchedule {
  /** Its final value: 1 is the evidence lower bound; less keeps more of each row in the latent. */
  beta: number;
  /**
   * constant: β all along; linear: rises from 0 over the first `warmup` epochs; cyclic: rises so again and again, half of each
   * cycle at β (Fu et al., NAACL 2019).
   */
  betaSchedule: (typeof BETA_SCHEDULES)[number];
  /** Epochs of a rise. */
  warmup: number;
}

/** β of an epoch, 1-based; the last epochs are at full β always. */
export function betaSchedule({ beta, betaSchedule: kind, warmup }: BetaSchedule, epochs: number) {
  if (kind === 'constant' || warmup === 0) return (): number => beta;
  const rising = (epoch: number): number => beta * Math.min(1, epoch / warmup);
  if (kind === 'linear') return rising;
  const cycle = 2 * warmup;
  const lastCycle = Math.floor(epochs / cycle) * cycle;
  return (epoch: number): number => (epoch > lastCycle ? beta : rising(((epoch - 1) % cycle) + 1));
}
