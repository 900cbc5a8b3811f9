import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { sync, unwritable } from './deliver-file.ts';
import { errnoOf } from './storage-error.ts';
import { tempFiles } from './temp-files.ts';

/** Folder within a delivered folder that says which files belong to it. Readers of Parquet pass over names with `_`. */
const COMMITS = '_hourglass';
/** Older commits are kept for a while: a writer that began with one of them must find that it is late. */
const KEPT = 20;
const ATTEMPTS = 50;

/** One file of a delivered folder. */
export interface CommittedFile {
  /** Below the folder, with `/`. */
  path: string;
  /** Values of the partition columns as text, null where missing. */
  partition: (string | null)[];
  rows: number;
  bytes: number;
  /** sha256, hex. */
  digest: string;
}

/** What a delivered folder holds: everything else in it is of no account. */
export interface FolderCommit {
  version: 1;
  partitionBy: string[];
  /** Names and physical types, in order; those of `partitionBy` stand in the names of the folders only. */
  columns: { name: string; physical: string }[];
  files: CommittedFile[];
}

const fileOf = (number: number): string => `commit-${String(number).padStart(8, '0')}.json`;

async function numbers(folder: string): Promise<number[]> {
  const names = await readdir(join(folder, COMMITS)).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  });
  return names.flatMap((name) => /^commit-(\d{8})\.json$/.exec(name)?.slice(1).map(Number) ?? []).sort((a, b) => a - b);
}

/** The last commit of a folder; undefined where it has none. @throws SOURCE_INVALID when it cannot be read */
export async function readCommit(folder: string): Promise<(FolderCommit & { number: number }) | undefined> {
  for (let attempt = 0; ; attempt++) {
    const number = (await numbers(folder)).at(-1);
    if (number === undefined) return undefined;
    const path = join(folder, COMMITS, fileOf(number));
    try {
      const commit = JSON.parse(await readFile(path, 'utf8')) as FolderCommit;
      if (commit.version !== 1 || !Array.isArray(commit.files)) throw new Error(`version ${commit.version}`);
      return { ...commit, number };
    } catch (error) {
      // Many commits may have come since the folder was listed, so that this one is gone.
      if (errnoOf(error) === 'ENOENT' && attempt < 5) continue;
      throw new HourglassError(
        'SOURCE_INVALID',
        `${path}: cannot be read as the manifest of a partitioned folder (${(error as Error).message}). Export the folder anew to another place, or delete it.`,
        { cause: error },
      );
    }
  }
}

/**
 * Makes the next commit of a folder, one point in time from which on it holds other files: readers see those of the commit
 * before, or the new ones. Of several writers each builds upon the last one's commit.
 *
 * @param next the content after `current`; called again when another writer was faster. Its files are in place by then
 * @returns the commit made, and the files that no longer belong to the folder
 * @throws SINK_UNWRITABLE, DISK_FULL, errors of `next`
 */
export async function commitFolder(
  folder: string,
  next: (current: FolderCommit | undefined) => Promise<FolderCommit>,
): Promise<{ commit: FolderCommit; dropped: CommittedFile[] }> {
  const commits = join(folder, COMMITS);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = await readCommit(folder);
    const commit = await next(current);
    const number = (current?.number ?? 0) + 1;
    if (!(await put(commits, number, commit).catch((error: unknown) => Promise.reject(unwritable(error, folder)))))
      continue;
    const all = await numbers(folder);
    // So late that the commits between are gone already: nobody would see this one.
    if (all.at(-1) !== number) {
      await rm(join(commits, fileOf(number)), { force: true });
      continue;
    }
    for (const old of all.slice(0, -KEPT)) await rm(join(commits, fileOf(old)), { force: true });
    const kept = new Set(commit.files.map(({ path }) => path));
    return { commit, dropped: current?.files.filter(({ path }) => !kept.has(path)) ?? [] };
  }
  throw new HourglassError(
    'SINK_UNWRITABLE',
    `${folder}: ${ATTEMPTS} times another writer was faster. Let fewer pipelines append to it at once, then run again.`,
  );
}

/** @returns false when the number is taken */
async function put(commits: string, number: number, commit: FolderCommit): Promise<boolean> {
  const temp = tempFiles(join(commits, 'tmp'));
  const aside = await temp.path();
  try {
    await writeFile(aside, `${JSON.stringify(commit, undefined, 1)}\n`);
    await sync(aside);
    // A hard link, unlike a rename, fails when the name is taken.
    await link(aside, join(commits, fileOf(number)));
    await sync(commits);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await temp.discard(aside);
  }
}
