import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreDriver } from '@hourglass/artifacts';
import { mapLimited } from './map-limited.ts';
import type { RunHeader } from './run-record.ts';

/** While a run is driven its machine says so this often, and others believe it for so long after the last time. */
const BEAT_MS = 30_000;
const SILENT_MS = 180_000;
/** The log grows with every event and is copied whole, so not each time. */
const COPY_EVERY_MS = 5000;

const keyOf = (id: string, file: string): string => `runs/${id}/${file}`;
const BEAT = 'alive';

/** Copies of one run's files in a store that is not of this machine, for other machines to look at. */
export interface RemoteRun {
  copy(files: readonly string[]): Promise<void>;
  /** The same, unless that was done a moment ago. */
  copySometimes(files: readonly string[]): Promise<void>;
  close(): void;
}

export function remoteRun(driver: StoreDriver, id: string, folder: string): RemoteRun {
  let copiedAt = 0;
  // A beat that fails is made up for by the next one; a store that stays away fails the run elsewhere.
  const beat = (): unknown => driver.put(keyOf(id, BEAT), new Uint8Array(), { durable: false }).catch(() => undefined);
  beat();
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  async function copy(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const bytes = await readFile(join(folder, file)).catch(() => undefined);
      if (bytes !== undefined) await driver.put(keyOf(id, file), bytes);
    }
    copiedAt = performance.now();
  }
  return {
    copy,
    async copySometimes(files) {
      if (performance.now() - copiedAt >= COPY_EVERY_MS) await copy(files);
    },
    close: () => clearInterval(timer),
  };
}

/** The text of a run's file in the store. */
export async function readRemote(driver: StoreDriver, id: string, file: string): Promise<string | undefined> {
  const bytes = await driver.read(keyOf(id, file));
  return bytes && new TextDecoder().decode(bytes);
}

/** Headers of the runs in a store except `known`. A run whose machine has been silent is shown as interrupted. */
export async function remoteHeaders(driver: StoreDriver, known: ReadonlySet<string>): Promise<RunHeader[]> {
  const beats = new Map<string, number>();
  const ids: string[] = [];
  for await (const { key, modified } of driver.list('runs')) {
    const [, id, file] = key.split('/') as [string, string, string?];
    if (file === BEAT) beats.set(id, modified);
    if (file === 'run.json' && !known.has(id)) ids.push(id);
  }
  const headers = await mapLimited(ids, 16, (id) => header(driver, id));
  return headers
    .filter((found) => found !== undefined)
    .map((found) =>
      found.status === 'running' && Date.now() - (beats.get(found.id) ?? 0) > SILENT_MS
        ? { ...found, status: 'interrupted' }
        : found,
    );
}

/** A run that has ended does not change any more: its header is kept on this machine. */
async function header(driver: StoreDriver, id: string): Promise<RunHeader | undefined> {
  const kept = join(driver.localFolder, 'runs-elsewhere', `${id}.json`);
  const text =
    (await readFile(kept, 'utf8').catch(() => undefined)) ?? (await readRemote(driver, id, 'run.json')) ?? '';
  try {
    const found = JSON.parse(text) as RunHeader;
    if (['succeeded', 'failed', 'cancelled'].includes(found.status)) {
      await mkdir(join(driver.localFolder, 'runs-elsewhere'), { recursive: true });
      await writeFile(kept, text);
    }
    return found;
  } catch {
    return undefined;
  }
}
