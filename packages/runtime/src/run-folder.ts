import { appendFileSync, constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Store, writeError } from '@hourglass/artifacts';
import { advance, HourglassError, nearNames, type Plan, type RunState } from '@hourglass/core';
import type { RunHeader, RunLine, RunRecord } from './run-record.ts';
import { readRemote, remoteHeaders, remoteRun } from './remote-runs.ts';
import { folderLocks } from './folder-lock.ts';
import { refsOf } from './run-record.ts';

const HEADER = 'run.json';
const PLAN = 'plan.json';
/** The state before the first event: with the events it gives every state since, exactly. */
const START = 'start.json';
const LOG = 'events.jsonl';

/**
 * Folder of the run records that this machine writes: within the store where that is a folder. Those of a remote store are
 * copied there besides, for other machines to look at.
 */
export function runsFolder(store: Pick<Store, 'driver'>): string {
  return join(store.driver.localFolder, 'runs');
}

/** The files of one run being driven. */
export interface RunFolder {
  readonly path: string;
  header: RunHeader;
  append(lines: RunLine[]): void;
  saveHeader(header: RunHeader): Promise<void>;
  /** Where the store is not of this machine: the log is copied there, unless that was done a moment ago. */
  share(): Promise<void>;
  /** This process does not drive the run any more. */
  close(): void;
}

/** Makes the folder of a new run. */
export async function createRun(store: Store, header: RunHeader, plan: Plan, start: RunState): Promise<RunFolder> {
  const folder = runFolder(store, header);
  await guarded(store, folder.path, async () => {
    await mkdirIn(store, folder.path);
    await writeJson(join(folder.path, PLAN), plan);
    await writeJson(join(folder.path, START), start);
  });
  await folder.saveHeader(header);
  return folder;
}

/** On a read-only filesystem a recursive mkdir says that a folder is not there; the folder above tells the reason. */
async function mkdirIn({ driver }: Store, path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    await access(driver.localFolder, constants.W_OK);
    throw error;
  }
}

export function runFolder(store: Store, header: RunHeader): RunFolder {
  const path = join(runsFolder(store), header.id);
  const log = join(path, LOG);
  const remote = store.driver.resident ? undefined : remoteRun(store.driver, header.id, path);
  return {
    path,
    header,
    append(lines) {
      if (lines.length === 0) return;
      try {
        appendFileSync(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      } catch (error) {
        throw writeError(error, path, store.driver.localFolder);
      }
    },
    async saveHeader(next) {
      this.header = next;
      await guarded(store, path, () => writeJson(join(path, HEADER), next));
      // The header last: whoever sees it finds the rest.
      await remote?.copy([PLAN, START, LOG, HEADER]);
    },
    share: async () => remote?.copySometimes([LOG]),
    close: () => remote?.close(),
  };
}

/** Runs, newest first. A run whose process died is shown as interrupted. */
export async function listRuns(store: Pick<Store, 'driver'>): Promise<RunHeader[]> {
  const own = await listOwnRuns(store);
  if (store.driver.resident) return own;
  const others = await remoteHeaders(store.driver, new Set(own.map(({ id }) => id)));
  return [...own, ...others].sort(newestFirst);
}

/** Runs whose records this machine writes, newest first: those that it can continue. */
export async function listOwnRuns(store: Pick<Store, 'driver'>): Promise<RunHeader[]> {
  const folder = runsFolder(store);
  const names = await readdir(folder).catch(() => []);
  const headers = await Promise.all(names.map((name) => readHeader(join(folder, name))));
  return headers.filter((header) => header !== undefined).sort(newestFirst);
}

const newestFirst = (a: RunHeader, b: RunHeader): number =>
  b.startedAt.localeCompare(a.startedAt) || b.id.localeCompare(a.id);

/** A run by its id or the beginning of it; `latest` is the newest. @throws RUN_NOT_FOUND with near ids */
export async function readRun(store: Pick<Store, 'driver'>, idOrBeginning: string): Promise<RunRecord> {
  const headers = await listRuns(store);
  const exact = headers.filter(({ id }) => id === idOrBeginning);
  const matching = exact.length > 0 ? exact : headers.filter(({ id }) => id.startsWith(idOrBeginning));
  const header = idOrBeginning === 'latest' ? headers[0] : matching[0];
  if (header === undefined || (idOrBeginning !== 'latest' && matching.length > 1)) {
    const ids = (matching.length > 1 ? matching : headers).map(({ id }) => id);
    const near = matching.length > 1 ? ids.slice(0, 5) : nearNames(idOrBeginning, ids);
    throw new HourglassError(
      'RUN_NOT_FOUND',
      matching.length > 1
        ? `${matching.length} runs begin with "${idOrBeginning}": ${near.join(', ')}. Give more of the id.`
        : `No run "${idOrBeginning}" in ${store.driver.location}.${near.length ? ` Did you mean ${near.join(' or ')}?` : ''}`,
      { details: { run: idOrBeginning } },
    );
  }
  const read = reader(store, header.id);
  const plan = JSON.parse(await read(PLAN)) as Plan;
  const { start, lines } = await readLog(read);
  let state = start;
  const record: Pick<RunRecord, 'occasions' | 'warnings'> = { occasions: {}, warnings: [] };
  for (const line of lines) {
    if ('event' in line) state = advance(plan, state, line.event).state;
    else if ('occasion' in line) record.occasions[line.occasion.path] = line.occasion;
    else record.warnings.push(line.warning);
  }
  return { ...header, ...record, plan, state };
}

/** Reads a file of a run by its name: where it was written, else its copy in the store. */
function reader({ driver }: Pick<Store, 'driver'>, id: string): (file: string) => Promise<string> {
  return (file) =>
    readFile(join(runsFolder({ driver }), id, file), 'utf8').catch(async (error: unknown) => {
      const text = driver.resident ? undefined : await readRemote(driver, id, file);
      if (text === undefined) throw error;
      return text;
    });
}

/** Start state and log lines of a run of this machine; a line torn by a crash ends the log. */
export async function readOwnLog(path: string): Promise<{ start: RunState; lines: RunLine[] }> {
  return readLog((file) => readFile(join(path, file), 'utf8'));
}

async function readLog(read: (file: string) => Promise<string>): Promise<{ start: RunState; lines: RunLine[] }> {
  const start = JSON.parse(await read(START)) as RunState;
  const text = await read(LOG).catch(() => '');
  const lines: RunLine[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      lines.push(JSON.parse(line) as RunLine);
    } catch {
      break;
    }
  }
  return { start, lines };
}

/** Digests that runs still under way, or interrupted, refer to: garbage collection must leave them. */
export async function runRoots(store: Pick<Store, 'driver'>): Promise<string[]> {
  const open = (await listRuns(store)).filter(({ status }) => ['running', 'interrupted', 'waiting'].includes(status));
  const roots = new Set<string>();
  for (const { id } of open) for (const digest of refsOf((await readRun(store, id)).state)) roots.add(digest);
  return [...roots];
}

async function readHeader(path: string): Promise<RunHeader | undefined> {
  const header = await readFile(join(path, HEADER), 'utf8')
    .then((text) => JSON.parse(text) as RunHeader)
    .catch(() => undefined);
  if (header === undefined || header.status !== 'running') return header;
  const { living } = await folderLocks(path);
  return living.length > 0 ? header : { ...header, status: 'interrupted' };
}

/** Whole or not at all. Not synced to the disk: after a power cut the run is computed again from the cache. */
async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(JSON.stringify(value));
  } finally {
    await file.close();
  }
  await rename(temporary, path).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
}

async function guarded<T>(store: Store, path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw writeError(error, path, store.driver.localFolder);
  }
}
