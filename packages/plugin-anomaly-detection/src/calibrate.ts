import { checkSchema } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { fitParetoTail, paretoTailQuantile } from '@hourglass/metrics';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { loadDetector } from './detector/save-detector.ts';
import type { calibrate } from './index.ts';
import { normalRows } from './normal-rows.ts';
import { scoreAll } from './score-table.ts';
import { saveThreshold } from './threshold.ts';

/** A tail is fitted to the highest tenth of the scores; fewer than this many say little about it. */
const TAIL_LEVEL = 0.9;
const FEWEST_IN_TAIL = 20;

export const run: StageRun<typeof calibrate> = async (context, { data, model: ref }, options) => {
  const { level, method } = options;
  const loaded = await loadDetector(context.artifacts, ref);
  const normals = await normalRows('anomaly-detection/calibrate', context.artifacts, data, options);
  const reader = await openDataset(context.artifacts, normals);
  for (const notice of checkSchema(loaded.model.encoder, reader.columns))
    if (options.label === undefined) context.log.info(notice);
  const n = reader.rows;
  const attainable = 1 / (n + 1);
  requireRows(method, level, n);
  const rowsPerDay = await countPerDay(context, data, options);
  const scores = (await scoreAll(context, loaded, normals)).sort();
  if (scores[0] === scores[n - 1])
    context.log.warn('all calibration rows have one score: no row like them will be flagged, whatever the level');
  const tail = method === 'pot' ? fitParetoTail(scores, TAIL_LEVEL) : undefined;
  // conformal: p ≤ α where at most ⌊α (n + 1)⌋ − 1 calibration scores are as high.
  const above = Math.floor(level * (n + 1) + 1e-9) - 1;
  const threshold = tail
    ? paretoTailQuantile(tail, level)
    : method === 'quantile'
      ? quantile(scores, 1 - level)
      : above >= 0 && above < n
        ? scores[n - 1 - above]!
        : scores[0]!;
  const alarmsPerDay = rowsPerDay === null ? null : level * rowsPerDay;
  const threshold_ = {
    method,
    level,
    n,
    score: threshold,
    alarmsPerThousand: level * 1000,
    alarmsPerDay,
    model: ref.digest,
    ...(tail ? { tail } : {}),
    scores,
  };
  return {
    threshold: await saveThreshold(context.artifacts, threshold_),
    metrics: { method, level, n, threshold, attainable, alarmsPerThousand: level * 1000, rowsPerDay, alarmsPerDay },
  };
};

function requireRows(method: string, level: number, n: number): void {
  const attainable = 1 / (n + 1);
  if (method === 'pot') {
    const inTail = Math.floor(n * (1 - TAIL_LEVEL));
    if (inTail < FEWEST_IN_TAIL)
      throw new HourglassError(
        'DATA_INSUFFICIENT',
        `anomaly-detection/calibrate: method pot fits a tail to the highest tenth of the scores and needs ${FEWEST_IN_TAIL} there, found ${inTail} (of ${n} rows); provide at least ${FEWEST_IN_TAIL * 10} normal rows`,
        { details: { rows: n } },
      );
    return;
  }
  if (level >= attainable) return;
  throw new HourglassError(
    'DATA_INSUFFICIENT',
    `anomaly-detection/calibrate: level ${level} needs at least ${Math.ceil(1 / level) - 1} normal rows, found ${n}: the lowest level they support is ${attainable.toPrecision(2)}. Provide more rows, ask for level ${roundUp(attainable)}, or use method pot, which extends the tail`,
    { details: { rows: n, attainable } },
  );
}

/** Two digits, never below. */
const roundUp = (value: number): number => {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit) * unit).toPrecision(3));
};

/** Rows of all kinds a day, from the dates they carry. */
async function countPerDay(
  context: StageContext,
  data: ArtifactRef,
  { time, rowsPerDay }: { time?: string; rowsPerDay?: number },
): Promise<number | null> {
  if (time === undefined) return rowsPerDay ?? null;
  const reader = await openDataset(context.artifacts, data);
  const column = reader.columns.find(({ name }) => name === time);
  if (!column || (column.type !== 'date' && column.type !== 'timestamp'))
    throw new HourglassError(
      column ? 'COLUMN_INVALID' : 'COLUMN_NOT_FOUND',
      `anomaly-detection/calibrate: option time expects a date or timestamp column, found ${column ? `"${time}" of type ${column.physical}` : `no column "${time}"`}; the table has ${reader.columns
        .slice(0, 12)
        .map(({ name }) => name)
        .join(', ')}`,
    );
  const values = (await reader.table([time])).columns[time]!;
  const days = new Set<number>();
  let rows = 0;
  if (values.kind === 'numeric')
    for (const value of values.values)
      if (!Number.isNaN(value)) {
        days.add(Math.floor(value / 86_400_000));
        rows++;
      }
  return days.size > 0 ? rows / days.size : null;
}

function quantile(sorted: Float64Array, p: number): number {
  const place = (sorted.length - 1) * p;
  const low = Math.floor(place);
  return sorted[low]! + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
