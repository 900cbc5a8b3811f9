import { encodeRows, loadModel } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import type { transform } from './index.ts';

/** Features `[n, f]` as columns beside the kept ones. */
export const run: StageRun<typeof transform> = async (context, { data, model: ref }, { keep, kind, prefix }) => ({
  data: await encodeRows(context, await loadModel(context.artifacts, ref), data, {
    keep,
    prefix,
    deep: kind === 'deep',
  }),
});
