import type { Engine, EngineIdentity } from '../types.ts';
import { eagerForward } from './forward.ts';
import { eagerTraining } from './training.ts';

/** An engine that runs steps op by op on a tfjs backend that is already initialised. */
export const eagerEngine = (identity: EngineIdentity, backend: string): Engine => ({
  ...identity,
  compileTraining: async (spec) => eagerTraining(backend, spec),
  compileForward: async (spec) => eagerForward(backend, spec),
});
