import type { Store } from '@hourglass/artifacts';
import type { RunPlace } from '@hourglass/core/interpreter';
import type { StageCall } from '@hourglass/workflows';
import { carriedFolder } from './carried-folder.ts';

/** Where a run reads and writes on this machine. */
export async function placeHere(
  { carried, ...place }: StageCall['place'],
  store: Store,
  outDir: string,
): Promise<RunPlace> {
  return {
    ...place,
    ...(carried === undefined ? {} : { baseDir: await carriedFolder(store, carried) }),
    outDir: place.outDir ?? outDir,
  };
}
