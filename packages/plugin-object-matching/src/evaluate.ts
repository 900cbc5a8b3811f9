import {
  checkSchema,
  exactNeighbours,
  loadModel,
  predictor,
  refuseLearnedLabel,
  takeTableRows,
} from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, sampleRows, type ColumnData, type Table } from '@hourglass/dataset';
import { accuracy, evenly, neighbourVotes, precisionAtK, type Neighbours, type NumberMatrix } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { distortions } from './distort.ts';
import { openGallery } from './gallery.ts';
import type { evaluate } from './index.ts';
import { requireColumns } from './require-columns.ts';
import { openGraph, searchNearest } from './search.ts';
import { firstColumns, spacesOf, type Spaces } from './spaces.ts';

const STAGE = 'object-matching/evaluate';

/** How well labelled queries and distorted objects are found, beside components of the same size and raw numbers. */
export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const store = context.artifacts;
  const index = await openGallery(STAGE, store, inputs.index);
  const { dims } = index.settings;
  const model = await loadModel(store, inputs.index);
  const { label, k } = options;
  if (label !== undefined && options.learnedLabel === 'refuse') refuseLearnedLabel(STAGE, model, label);
  const names = [
    ...new Set([...model.encoder.columns.map(({ name }) => name), ...(label === undefined ? [] : [label])]),
  ];
  const read = async (input: 'gallery' | 'data', most: number, ref: ArtifactRef): Promise<Table> => {
    const reader = await openDataset(store, ref);
    checkSchema(model.encoder, reader.columns);
    if (label !== undefined) requireColumns(STAGE, 'label', reader, [label]);
    if (reader.rows > most) context.log.warn(`${input}: ${most} of ${reader.rows} rows, taken evenly (maxQueries)`);
    return sampleRows(reader, names, most);
  };
  const gallery = await read('gallery', Infinity, inputs.gallery);
  if (gallery.rows !== index.rows)
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: the index holds ${index.rows} objects, the gallery ${gallery.rows} rows; connect the table the index was made of`,
    );
  if (k > gallery.rows)
    throw new HourglassError('OPTION_INVALID', `${STAGE}: k: ${k} is beyond the ${gallery.rows} objects of the index`);
  const data = await read('data', options.maxQueries, inputs.data);
  const labels = label === undefined ? undefined : [gallery, data].map((table) => classesOf(table.columns[label]!));
  if (labels && new Set(labels[0]).size < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected at least two classes in the label column "${label}", found one only (${labels[0]![0]})`,
    );

  const engine = await context.engine();
  const answer = predictor(engine, model);
  try {
    const toSpaces = spacesOf(model, answer, gallery);
    const known = await toSpaces(gallery);
    const asked = await toSpaces(data);
    const rows = Array.from(evenly(gallery.rows, options.maxQueries));
    const distorted =
      options.noise + options.occlusion + options.shift > 0
        ? await Promise.all(
            distortions(STAGE, model.encoder, takeTableRows(gallery, rows), options, context.seed).map(
              async ({ name, table }) => ({ name, ...(await toSpaces(table)) }),
            ),
          )
        : [];
    const score = async (space: keyof Spaces) => {
      context.signal.throwIfAborted();
      const width = space === 'raw' ? Infinity : dims;
      const base = firstColumns(known[space], width);
      const search = (queries: NumberMatrix, most: number): Promise<Neighbours> =>
        exactNeighbours(engine, base, firstColumns(queries, width), most, { signal: context.signal });
      const byLabel = labels && (await search(asked[space], k));
      const byDistortion: Record<string, number> = {};
      for (const query of distorted) {
        const { indices } = await search(query[space], 1);
        byDistortion[query.name] = rows.reduce((sum, row, i) => sum + (indices[i] === row ? 1 : 0), 0) / rows.length;
      }
      const recalls = Object.values(byDistortion);
      return {
        accuracy: byLabel ? accuracy(labels[1]!, neighbourVotes(first(byLabel), labels[0]!)) : null,
        precisionAtK: byLabel ? precisionAtK(byLabel, labels[0]!, labels[1]!) : null,
        recallAt1: recalls.length ? recalls.reduce((sum, value) => sum + value, 0) / recalls.length : null,
        distortions: byDistortion,
      };
    };
    context.progress(0.3, 'latents');
    const ours = await score('latent');
    context.progress(0.6, 'principal components');
    const { distortions: _, ...pca } = await score('pca');
    context.progress(0.8, 'raw columns');
    const { distortions: __, ...raw } = await score('raw');
    return {
      metrics: {
        d: dims,
        objects: index.rows,
        queries: data.rows,
        k,
        ...ours,
        recallAt10: await recallOfGraph(),
        baselines: { pca, raw },
      },
    };

    /** Share of the exact 10 nearest that the graph finds. */
    async function recallOfGraph(): Promise<number | null> {
      if (index.graph === undefined) return null;
      const queries = Float32Array.from(firstColumns(asked.latent, dims).data);
      const most = Math.min(10, index.rows);
      const space = { z: index.z, dims };
      const exact = (await searchNearest(space, queries, most)).indices;
      const approximate = (
        await searchNearest({ ...space, graph: openGraph(index.graph, dims, index.settings.graph) }, queries, most)
      ).indices;
      let found = 0;
      for (let q = 0; q < data.rows; q++) {
        const truth = new Set(exact.subarray(q * most, (q + 1) * most));
        for (const row of approximate.subarray(q * most, (q + 1) * most)) if (truth.has(row)) found++;
      }
      return found / exact.length;
    }
  } finally {
    answer.dispose();
  }
};

const first = ({ k, indices, squared }: Neighbours): Neighbours => ({
  k: 1,
  indices: indices.filter((_, i) => i % k === 0),
  squared: squared.filter((_, i) => i % k === 0),
});

const classesOf = (data: ColumnData): string[] =>
  data.kind === 'numeric'
    ? Array.from(data.values, String)
    : Array.from(data.codes, (code) => (code < 0 ? 'missing' : data.categories[code]!));
