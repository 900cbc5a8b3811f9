import { putFigures } from '@hourglass/artifacts';
import { normalise } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { mae, rmse, type NumberMatrix } from '@hourglass/metrics';
import type { StageContext } from '@hourglass/plugin-kit';
import { noiseToMeasure } from '../noise-of-kind.ts';
import type { NoiseOptions, TableNoiseOptions } from '../noise-options.ts';
import type { DenoisingMetrics } from '../metrics-schema.ts';
import { requireColumns } from './denoise-table.ts';
import { besideNeighbours, type NumberColumns } from './neighbour-rows.ts';
import { noisyCells, rowLevels } from './noisy-cells.ts';
import { valuesOf } from './number-columns.ts';
import { openTableDenoiser, type TableDenoiser } from './open-table-denoiser.ts';
import type { RowBaseline } from '../evaluate-options.ts';
import { bestRowBaseline, type RowBaselineAnswer, type Runs } from './row-baselines.ts';
import { rowFigures } from './row-figures.ts';

const STAGE = 'denoising/evaluate';
/** Clean rows that pca-wiener and k-NN know. */
const REFERENCE = 20_000;

/** Adds noise to clean rows, takes it off, and does the same by simple methods; errors are in deviations of each column. */
export async function evaluateTable(
  context: StageContext,
  { data, model, reference }: { data: ArtifactRef; model: ArtifactRef; reference?: ArtifactRef },
  options: Partial<NoiseOptions> & { baselines: RowBaseline[]; maxRows: number },
): Promise<{ metrics: DenoisingMetrics; figures: ArtifactRef }> {
  const denoiser = await openTableDenoiser(context, model);
  try {
    const noise = noiseToMeasure(STAGE, 'table', denoiser.options, options);
    context.progress(0, 'reading the table');
    const runs = await readRuns(context, data, denoiser, options.maxRows);
    const answers: NumberColumns[] = [];
    const noisy: NumberColumns[] = [];
    let firstRow = 0;
    let levels = 0;
    for (const [i, run] of runs.entries()) {
      const rows = lengthOf(run);
      const strength = rowLevels(noise.level, context.seed, firstRow, rows);
      const place = { seed: context.seed, firstRow };
      noisy.push(
        Object.fromEntries(
          denoiser.columns.map(({ name, map }) => [
            name,
            noisyCells(run[name]!, scaleOf(map), noise.noise, strength, { ...place, name }),
          ]),
        ),
      );
      levels += strength.reduce((sum, level) => sum + level, 0);
      const cleaned = await denoiser.clean(besideNeighbours(noisy[i]!, denoiser.reach, 0, rows), firstRow);
      answers.push(Object.fromEntries(denoiser.columns.map(({ name }) => [name, valuesOf(cleaned, name)])));
      firstRow += rows;
    }
    const level = levels / firstRow;
    const truth = standardised(runs, denoiser);
    const compared: Runs = {
      truth: truth.matrix,
      noisy: standardised(noisy, denoiser).matrix,
      observed: truth.observed,
      lengths: runs.map(lengthOf),
    };
    const clean = reference
      ? standardised(await readRuns(context, reference, denoiser, REFERENCE), denoiser).matrix
      : truth.matrix;
    const baselines: Partial<Record<RowBaseline, RowBaselineAnswer>> = {};
    for (const [i, name] of options.baselines.entries()) {
      context.signal.throwIfAborted();
      context.progress(0.3 + (0.7 * i) / options.baselines.length, `trying ${name}`);
      const found = bestRowBaseline(name, compared, clean, reference === undefined, deviation(noise, level));
      if (found) baselines[name] = found;
      else context.log.warn(`${name} needs more clean rows than ${clean.rows}; it is left out`);
    }
    const score = (values: NumberMatrix['data']) => ({
      rmse: rmse(truth.matrix.data, values, truth.observed),
      mae: mae(truth.matrix.data, values, truth.observed),
    });
    const ours = standardised(answers, denoiser).matrix.data;
    const before = score(compared.noisy.data);
    const scores = Object.fromEntries(
      Object.entries(baselines).map(([name, { setting, values }]) => [name, { ...score(values), setting }]),
    ) as Partial<Record<RowBaseline, { rmse: number; mae: number; setting: number }>>;
    const mine = score(ours);
    const best = Math.min(before.rmse, ...Object.values(scores).map((one) => one.rmse));
    const errors = Object.entries({
      noisy: compared.noisy.data,
      answer: ours,
      ...Object.fromEntries(Object.entries(baselines).map(([baseline, { values }]) => [baseline, values])),
    }).map(([method, values]) => [method, columnErrors(truth, values)] as const);
    const byColumn = denoiser.columns.map(({ name }, j) => ({
      name,
      ...(Object.fromEntries(errors.map(([method, each]) => [method, each[j]!])) as { answer: number }),
    }));
    return {
      metrics: {
        ...mine,
        rows: firstRow,
        level,
        noisy: before,
        baselines: scores,
        reduction: best > 0 ? 1 - mine.rmse / best : 0,
      },
      figures: await putFigures(context.artifacts, rowFigures(byColumn)),
    };
  } finally {
    denoiser.dispose();
  }
}

/** About how far noise moves a cell, in deviations of its column: another row's value lies √2 away. */
const deviation = ({ noise }: TableNoiseOptions, level: number): number =>
  noise === 'swap' ? Math.sqrt(2 * level) : level;

/** The first rows of a dataset, in runs that cross no part. @throws SCHEMA_MISMATCH, DATA_INSUFFICIENT */
async function readRuns(
  { artifacts, signal }: StageContext,
  ref: ArtifactRef,
  denoiser: TableDenoiser,
  most: number,
): Promise<NumberColumns[]> {
  const reader = await openDataset(artifacts, ref);
  requireColumns(denoiser, reader);
  const names = denoiser.columns.map(({ name }) => name);
  const runs: NumberColumns[] = [];
  let left = most;
  for (const { key, rows } of reader.parts) {
    signal.throwIfAborted();
    const limit = Math.min(left, rows);
    if (limit === 0) continue;
    const table = await reader.table(names, { part: key, limit });
    runs.push(Object.fromEntries(names.map((name) => [name, valuesOf(table, name)])));
    left -= limit;
  }
  if (runs.length === 0) throw new HourglassError('DATA_INSUFFICIENT', `${STAGE}: the dataset holds no rows.`);
  return runs;
}

const lengthOf = (run: NumberColumns): number => Object.values(run)[0]!.length;

const scaleOf = (map: TableDenoiser['columns'][number]['map']): number => (map.kind === 'linear' ? map.scale : 1);

interface Standardised {
  matrix: NumberMatrix & { data: Float64Array };
  observed: Uint8Array;
}

/** Rows of all runs in deviations from each column's mean, as the model learned them; 0 where missing. */
function standardised(runs: NumberColumns[], { columns }: TableDenoiser): Standardised {
  const rows = runs.reduce((sum, run) => sum + lengthOf(run), 0);
  const cols = columns.length;
  const data = new Float64Array(rows * cols);
  const observed = new Uint8Array(rows * cols);
  let at = 0;
  for (const run of runs) {
    columns.forEach(({ name, map, empty }, j) => {
      run[name]!.forEach((value, i) => {
        if (Number.isNaN(value) || empty) return;
        data[(at + i) * cols + j] = normalise(map, value);
        observed[(at + i) * cols + j] = 1;
      });
    });
    at += lengthOf(run);
  }
  return { matrix: { rows, cols, data }, observed };
}

/** The root mean squared error of each column; 0 where it has no observed cell. */
function columnErrors({ matrix, observed }: Standardised, values: ArrayLike<number>): Float64Array {
  const { cols, data } = matrix;
  const sums = new Float64Array(cols);
  const counts = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) {
    if (!observed[i]) continue;
    sums[i % cols]! += (data[i]! - values[i]!) ** 2;
    counts[i % cols]!++;
  }
  return sums.map((sum, j) => (counts[j]! > 0 ? Math.sqrt(sum / counts[j]!) : 0));
}
