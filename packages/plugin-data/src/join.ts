import { joinDatasets } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import type { join } from './join-manifest.ts';

export const run: StageRun<typeof join> = async (context, { left, right }, options) => {
  context.progress(undefined, `joining ${left.rows ?? ''} rows with ${right.rows ?? ''}`);
  const { data, ...metrics } = await joinDatasets(context.artifacts, left, right, options);
  context.log.info(
    `${metrics.matched} of ${metrics.leftRows} left rows found a match; ${metrics.unusedRight} right rows found none`,
  );
  return { data, metrics };
};
