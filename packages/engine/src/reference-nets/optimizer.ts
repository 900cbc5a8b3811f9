import type { TrainingSpec } from '../types.ts';

/** What all reference nets are trained with. */
export const adamw: Pick<TrainingSpec, 'optimizer' | 'schedule' | 'seed'> = {
  // Decay of all parameters, as the peers' default has it.
  optimizer: { kind: 'adamw', weightDecay: 0.01, noDecay: /^$/ },
  schedule: { kind: 'constant', rate: 1e-3 },
  seed: 1,
};
