import { convAutoencoder } from './conv-autoencoder.ts';
import { largeMlp, smallMlp } from './mlp.ts';
import type { ReferenceNet } from './reference-net.ts';
import { tabularNet } from './tabular.ts';
import { residualUnet } from './unet.ts';

export type { ReferenceNet } from './reference-net.ts';

/** The nets engines are timed and compared with, quick ones first. */
export const REFERENCE_NETS: readonly ReferenceNet[] = [smallMlp, tabularNet, largeMlp, convAutoencoder, residualUnet];
export { timeTraining, type TimeLimits, type TrainingTime } from './time-training.ts';
