import { putFigures, type Figure } from '@hourglass/artifacts';
import { checkSchema, loadModel, predictor } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { openDataset, sampleRows, type ColumnData } from '@hourglass/dataset';
import { nearestNeighbours } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { distortions } from './distort.ts';
import type { grow } from './index.ts';
import type { GrowMetrics } from './metrics-schema.ts';
import { requireColumns } from './require-columns.ts';
import { firstColumns, spacesOf } from './spaces.ts';

const STAGE = 'object-matching/grow';
const MOST_CONFUSED = 20;

/** Raises the size of the latent until distorted objects find themselves; ordered latents answer for every size. */
export const run: StageRun<typeof grow> = async (context, inputs, options) => {
  const model = await loadModel(context.artifacts, inputs.model);
  const { latentDim } = model.description.network;
  if (model.description.options.ordered !== true)
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: expected a model with ordered latents, found one trained with ordered: false, which answers for ${latentDim} dimensions only; train with ordered: true`,
    );
  if (options.from > latentDim)
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: from: ${options.from} is beyond the ${latentDim} dimensions of the model; begin lower, or train with a larger latentDim`,
    );
  const reader = await openDataset(context.artifacts, inputs.data);
  checkSchema(model.encoder, reader.columns);
  if (reader.rows < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected at least 2 objects to tell apart, found ${reader.rows}`,
    );
  if (options.id !== undefined) requireColumns(STAGE, 'id', reader, [options.id]);
  if (reader.rows > options.maxObjects)
    context.log.warn(`${options.maxObjects} of ${reader.rows} objects are looked at, taken evenly (maxObjects)`);
  const names = model.encoder.columns.map(({ name }) => name);
  const table = await sampleRows(
    reader,
    [...new Set([...names, ...(options.id === undefined ? [] : [options.id])])],
    options.maxObjects,
  );
  const distorted = distortions(STAGE, model.encoder, table, options, context.seed);
  if (distorted.length === 0)
    throw new HourglassError('OPTION_INVALID', `${STAGE}: noise, occlusion and shift are all 0: nothing is distorted`);

  const answer = predictor(await context.engine(), model);
  try {
    const toSpaces = spacesOf(model, answer, table);
    const gallery = await toSpaces(table);
    const queries = await Promise.all(
      distorted.map(async ({ name, table: rows }) => ({ name, ...(await toSpaces(rows)) })),
    );
    const curve: GrowMetrics['curve'] = [];
    let found: Int32Array[] = [];
    let best: { at: number; found: Int32Array[] } | undefined;
    for (let d = options.from; d <= latentDim; d++) {
      context.signal.throwIfAborted();
      context.progress((d - options.from) / (latentDim - options.from + 1), `${d} dimensions`);
      const nearest = (space: 'latent' | 'pca'): Int32Array[] =>
        queries.map(
          (query) => nearestNeighbours(firstColumns(gallery[space], d), firstColumns(query[space], d), 1).indices,
        );
      found = nearest('latent');
      const shares = found.map(selves);
      curve.push({
        d,
        separation: mean(shares),
        distortions: Object.fromEntries(queries.map(({ name }, i) => [name, shares[i]!])),
        pca: mean(nearest('pca').map(selves)),
      });
      if (!best || curve.at(-1)!.separation > curve[best.at]!.separation) best = { at: curve.length - 1, found };
      if (curve.at(-1)!.separation >= options.level) break;
    }
    const { at, found: chosenFound } = best!;
    const chosen = curve[at]!;
    const reached = chosen.separation >= options.level;
    if (!reached)
      context.log.warn(
        `no size up to ${latentDim} separates ${options.level}; the best is ${chosen.d} with ${chosen.separation.toFixed(4)}`,
      );
    const metrics: GrowMetrics = {
      chosen: chosen.d,
      reached,
      separation: chosen.separation,
      objects: table.rows,
      curve,
      confused: confusedPairs(chosenFound, idsOf(options.id === undefined ? undefined : table.columns[options.id])),
      baselines: { pca: { separation: chosen.pca } },
    };
    return { metrics, figures: await putFigures(context.artifacts, [separationFigure(metrics, options.level)]) };
  } finally {
    answer.dispose();
  }
};

const selves = (nearest: Int32Array): number =>
  nearest.reduce((sum, row, i) => sum + (row === i ? 1 : 0), 0) / nearest.length;
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const idsOf =
  (data: ColumnData | undefined) =>
  (row: number): string => {
    if (!data) return String(row);
    return data.kind === 'numeric' ? String(data.values[row]) : (data.categories[data.codes[row]!] ?? 'missing');
  };

function confusedPairs(found: Int32Array[], idOf: (row: number) => string): GrowMetrics['confused'] {
  const pairs = new Map<string, { object: number; takenFor: number; times: number }>();
  for (const nearest of found)
    nearest.forEach((takenFor, object) => {
      if (takenFor === object) return;
      const key = `${object} ${takenFor}`;
      pairs.set(key, { object, takenFor, times: (pairs.get(key)?.times ?? 0) + 1 });
    });
  return [...pairs.values()]
    .sort((a, b) => b.times - a.times || a.object - b.object)
    .slice(0, MOST_CONFUSED)
    .map(({ object, takenFor, times }) => ({ object: idOf(object), takenFor: idOf(takenFor), times }));
}

const separationFigure = ({ curve }: GrowMetrics, level: number): Figure => ({
  id: 'separation',
  title: 'Share of distorted objects that find themselves, by dimensions',
  format: 'vega-lite',
  spec: {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    layer: [
      {
        data: {
          values: curve.flatMap(({ d, separation, pca }) => [
            { d, method: 'autoencoder', separation },
            { d, method: 'PCA', separation: pca },
          ]),
        },
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'd', type: 'quantitative', title: 'dimensions', axis: { tickMinStep: 1 } },
          y: { field: 'separation', type: 'quantitative', title: 'recall@1 of distorted objects' },
          color: { field: 'method', type: 'nominal', title: null },
        },
      },
      {
        data: { values: [{ level }] },
        mark: { type: 'rule', strokeDash: [4, 4] },
        encoding: { y: { field: 'level', type: 'quantitative' } },
      },
    ],
  },
});
