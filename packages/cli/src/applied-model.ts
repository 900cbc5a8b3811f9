import type { Store } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';

/** The name under which the model enters the pipeline that applies it. */
export const APPLIED_MODEL = 'applied_model';

/** The store with one more name, which means the model asked for: by digest as well as by name. */
export function withAppliedModel(store: Store, ref: ArtifactRef): Store {
  const { names } = store;
  return {
    ...store,
    names: {
      ...names,
      resolve: async (reference) =>
        reference.split('@')[0] === APPLIED_MODEL
          ? { name: APPLIED_MODEL, version: 1, ref, run: '', at: '' }
          : names.resolve(reference),
    },
  };
}
