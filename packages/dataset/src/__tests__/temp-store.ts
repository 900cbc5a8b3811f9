import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import { afterAll } from 'vitest';

/** A store and a folder of the test file's own, gone afterwards. */
export async function tempStore(): Promise<{ store: ArtifactStore; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-dataset-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { store: (await openStore(join(folder, 'store'))).artifacts, folder };
}
