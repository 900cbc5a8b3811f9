import { openDataset } from '@hourglass/dataset';
import { columnMean, columnRange, minMaxScale, rmse } from '@hourglass/metrics';
import { HourglassError, type StageRun } from '@hourglass/plugin-kit';
import type { evaluate } from './index.ts';

/** A number says little alone: whoever evaluates puts the simplest method there is beside it. */
export const run: StageRun<typeof evaluate> = async (context, inputs) => {
  const data = await (await openDataset(context.artifacts, inputs.data)).table();
  const truth = await (await openDataset(context.artifacts, inputs.truth)).table();
  if (data.rows !== truth.rows)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `my-app/evaluate: expected the ${truth.rows} rows of truth in data, found ${data.rows}; connect the table that my-app/apply was given as truth`,
    );
  const scaled: { x: number[]; xHat: number[]; mean: number[] } = { x: [], xHat: [], mean: [] };
  for (const [name, column] of Object.entries(truth.columns)) {
    const found = data.columns[name];
    if (column.kind !== 'numeric' || found?.kind !== 'numeric') continue;
    const range = columnRange(column.values);
    const x = minMaxScale(column.values, range);
    const xHat = minMaxScale(found.values, range);
    const mean = columnMean(x);
    x.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      scaled.x.push(value);
      scaled.xHat.push(xHat[i]!);
      scaled.mean.push(mean);
    });
  }
  if (scaled.x.length === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      'my-app/evaluate: expected numeric cells that data and truth both have, found none; connect tables of the same columns',
    );
  return {
    metrics: { rmse: rmse(scaled.x, scaled.xHat), baselines: { mean: { rmse: rmse(scaled.x, scaled.mean) } } },
  };
};
