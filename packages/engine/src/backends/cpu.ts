import * as tf from '@tensorflow/tfjs';

import { eagerEngine } from '../eager/engine.ts';
import type { Engine } from '../types.ts';
import { cpuIdentity } from './identity.ts';

/** Suppresses the advertisement for tfjs-node that the first op on the host would print. */
export function quietHost(): void {
  (tf.findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
}

/** Plain JavaScript: always there, slow, the reference for the others. */
export async function loadCpu(): Promise<Engine> {
  quietHost();
  await tf.setBackend('cpu');
  return eagerEngine(cpuIdentity(), 'cpu');
}
