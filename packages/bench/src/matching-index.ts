import { join } from 'node:path';
import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { runPython } from './python.ts';
import type { RunStage } from './run-stage.ts';
import { median } from './spread.ts';

const QUERIES = 10_000;
const ASKED_AGAIN = 7;
/** Shape of the graph, of ours and of hnswlib's. */
const GRAPH = { connectivity: 16, expansionAdd: 128, expansionSearch: 128 };

interface Peer {
  build: number;
  perSecond: number;
  recall: number;
  versions: Record<string, string>;
}

/** What an index of many objects takes: made, asked by many and by one, beside hnswlib on the same latents. */
export async function indexOfMany(
  stage: RunStage,
  { store, folder }: { store: ArtifactStore; folder: string },
  { model, digits, objects, peer }: { model: ArtifactRef; digits: ArtifactRef; objects: number; peer: boolean },
): Promise<string[]> {
  const pixels = (await openDataset(store, digits)).columns.map(({ name }) => name).filter((name) => name !== 'label');
  // Digits again and again, each pixel moved a little: no two are equal, as none would be in a gallery.
  const made = async (count: number, seed: number): Promise<ArtifactRef> =>
    queryDataset(store, {
      inputs: { digits },
      sql: `SELECT ${pixels.map((p) => `(${p} + (hash(i, n, ${seed}, '${p}') % 1000) / 500.0)::DOUBLE AS ${p}`).join(', ')}
            FROM (SELECT row_number() OVER () AS n, * FROM digits), range(${Math.ceil(count / digits.rows!)}) r(i) LIMIT ${count}`,
    });
  const gallery = await made(objects, 1);
  const queries = await made(QUERIES, 2);
  const one = await queryDataset(store, { inputs: { queries }, sql: 'SELECT * FROM queries LIMIT 1 OFFSET 17' });
  const indexed = await stage('object-matching/index', { search: 'approximate', ...GRAPH }, { data: gallery, model });
  const index = indexed.outputs.index!;
  const match = async (data: ArtifactRef, options = {}): Promise<number> =>
    (await stage('object-matching/match', { k: 10, ...options }, { index, data })).seconds;
  await match(one);
  const single: number[] = [];
  for (let i = 0; i < ASKED_AGAIN; i++) single.push(1000 * (await match(one)));
  const many = await match(queries);
  const exact = await match(queries, { search: 'exact' });
  const notes = [
    `${objects} objects: latents computed and indexed in ${indexed.seconds.toFixed(1)} s (object-matching/index as a whole)`,
    `one query, warm process, ten matches written: ${median(single).toFixed(0)} ms (best ${Math.min(...single).toFixed(0)}, worst ${Math.max(...single).toFixed(0)} of ${ASKED_AGAIN})`,
    `${QUERIES} queries, each encoded, its ten matches written: ${perSecond(many)} a second by the index, ${perSecond(exact)} compared with every object`,
  ];
  if (!peer) return notes;
  const latents = async (data: ArtifactRef, name: string): Promise<string> => {
    const path = join(folder, name);
    const { outputs } = await stage('model/encode', { keep: [] }, { data, model });
    await stage('data/export', { uri: path }, { data: outputs.data! });
    return path;
  };
  const found = await runPython<Peer>(
    'matching_peers.py',
    [
      await latents(gallery, 'gallery.parquet'),
      await latents(queries, 'queries.parquet'),
      ...['--connectivity', `${GRAPH.connectivity}`, '--expansion-add', `${GRAPH.expansionAdd}`],
      ...['--expansion-search', `${GRAPH.expansionSearch}`],
    ],
    'matching',
  );
  return [
    ...notes,
    `hnswlib ${found.versions.hnswlib} in Python, one thread, on the same latents, with the same shape of graph ${JSON.stringify(GRAPH)}: ` +
      `built in ${found.build.toFixed(1)} s, ${Math.round(found.perSecond)} queries a second (search alone), recall@10 ${found.recall.toFixed(4)}`,
  ];
}

const perSecond = (seconds: number): number => Math.round(QUERIES / seconds);
