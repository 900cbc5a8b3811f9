import { HourglassError, parseDuration } from '@hourglass/core';
import { openDataset, windowRows } from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { ArtifactRef, StageOptions } from '@hourglass/core';
import type { window } from './window-manifest.ts';

export const run: StageRun<typeof window> = async (context, { data: rows }, options) => {
  const { length, stride = length } = options;
  const maxGap = await gapOf(context, rows, options);
  context.progress(undefined, `cutting ${rows.rows ?? ''} rows into windows of ${length}`);
  const { data, ...metrics } = await windowRows(context.artifacts, rows, { ...options, stride, maxGap });
  context.log.info(`${metrics.windows} windows of ${metrics.series} series; ${metrics.uncovered} rows are in none`);
  return { data, metrics };
};

/** Milliseconds of points in time, the column's own unit of numbers. */
async function gapOf(
  { artifacts }: StageContext,
  rows: ArtifactRef,
  { time, maxGap }: StageOptions<typeof window>,
): Promise<number | undefined> {
  if (maxGap === undefined) return undefined;
  const type = (await openDataset(artifacts, rows)).columns.find(({ name }) => name === time)?.type;
  const temporal = type === 'date' || type === 'timestamp';
  if (temporal !== (typeof maxGap === 'string'))
    throw new HourglassError(
      'OPTION_INVALID',
      `data/window: option maxGap: expected ${temporal ? 'a duration such as 30m or 1d' : 'a number'} for the column "${time}", found ${JSON.stringify(maxGap)}.`,
    );
  if (typeof maxGap === 'number') return maxGap;
  return parseDuration(maxGap);
}
