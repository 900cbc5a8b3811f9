import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { ingest, openDataset, profileDataset } from '@hourglass/dataset';
import type { ChildTask, Reading } from './ingest.ts';

// One reader of the ingest benchmark, in a process of its own: its peak of memory is nobody else's.

const { what, store, path, ref, rows, slice, repeats } = JSON.parse(process.argv[2]!) as ChildTask;
const { artifacts } = await openStore(store);

/** What a reader found, and the milliseconds of looking at it, which are not reading. */
type Found = Partial<Reading> & { checking?: number };

async function matrix(): Promise<Found> {
  const reader = await openDataset(artifacts, ref!);
  const names = reader.columns.map((column) => column.name);
  const found = { missing: 0, sum: 0, checking: 0 };
  for (let offset = 0; offset < rows; offset += slice) {
    const { data, cols } = await reader.matrix(names, { offset, limit: slice });
    const from = performance.now();
    for (let i = 0; i < data.length; i++) {
      if (Number.isNaN(data[i])) found.missing++;
      else if (i % cols === 0) found.sum += data[i]!;
    }
    found.checking += performance.now() - from;
  }
  return found;
}

const work: Record<ChildTask['what'], () => Promise<Found>> = {
  ingest: async (): Promise<Found & { ref: ArtifactRef }> => ({ ref: await ingest(artifacts, { uri: path }) }),
  matrix,
  profile: async () => {
    await profileDataset(artifacts, ref!);
    return {};
  },
};

const base = process.memoryUsage.rss();
let seconds = Infinity;
let peakMiB = 0;
let found: Found = {};
for (let i = 0; i < repeats; i++) {
  const from = performance.now();
  found = await work[what]();
  seconds = Math.min(seconds, (performance.now() - from - (found.checking ?? 0)) / 1000);
  if (i === 0) peakMiB = process.resourceUsage().maxRSS / 1024 - base / 2 ** 20;
}
console.log(JSON.stringify({ ...found, seconds, peakMiB } satisfies Reading));
