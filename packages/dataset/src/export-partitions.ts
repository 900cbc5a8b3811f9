import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import {
  commitFolder,
  deliverFile,
  hashBytes,
  hashFile,
  readCommit,
  sync,
  unwritable,
  type ArtifactStore,
  type CommittedFile,
  type FolderCommit,
} from '@hourglass/artifacts';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import { chooseColumns, listNames, pickColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import type { Exported } from './export-dataset.ts';
import { HIVE_MISSING } from './hive.ts';
import { eachPartition } from './partition.ts';
import { ident, parquetScan } from './sql.ts';
import type { Column } from './types.ts';
import { writeParquet } from './write-parquet.ts';

export interface ExportPartitionsOptions {
  /** Columns whose values the folders are: `day=2024-01-01/region=north`. */
  partitionBy: string[];
  /** replace: the folder holds this dataset. append: its partitions are put in, the others stay. @default 'replace' */
  mode?: 'replace' | 'append';
  columns?: string[];
  exclude?: string[];
}

export interface ExportedPartitions extends Exported {
  partitions: number;
  /** Partitions that the folder had already, byte for byte. */
  unchanged: number;
}

/**
 * Writes a dataset as a folder of Parquet files by partition (Hive's layout). The new files come first, then one manifest,
 * from which on they belong to the folder; then those it no longer names are removed. Whoever reads by the manifest, as
 * data/ingest does, sees the old state or the new one, also when the writer is killed or another one writes.
 *
 * @throws SINK_UNWRITABLE (also: a folder that holds other files), DISK_FULL, SCHEMA_MISMATCH (append of other columns),
 * COLUMN_NOT_FOUND, COLUMN_INVALID
 */
export async function exportPartitions(
  store: ArtifactStore,
  ref: ArtifactRef,
  folder: string,
  options: ExportPartitionsOptions,
): Promise<ExportedPartitions> {
  const { meta, parts } = await readManifest(store, ref);
  const where = `Export to ${folder}`;
  const columns = chooseColumns(meta.columns, options, where);
  const by = partitionColumns(columns, options.partitionBy, where);
  const described = columns.map(({ name, physical }) => ({ name, physical }));
  const append = options.mode === 'append';
  const { commit: before } = await requireOurs(folder);
  if (append && before !== undefined) requireSame(before, described, options.partitionBy, folder);

  const fresh: Fresh[] = [];
  const inside = columns.filter((column) => !by.includes(column)).map(({ name }) => ident(name));
  const scan = parquetScan(parts.map(({ path }) => path));
  let commit: FolderCommit | undefined;
  try {
    await withConnection((connection) =>
      eachPartition(connection, store, scan, options.partitionBy, async ({ values, rows, relation }) => {
        const names = values.map((value, i) => `${encodeName(by[i]!.name)}=${encodeValue(value, by[i]!, where)}`);
        const place = join(folder, ...names);
        // A name of its own, so that no file of the commit before is written over; hidden until all are there.
        const id = randomUUID().slice(0, 8);
        const pending = join(place, `.${id}.pending`);
        const written = await deliverFile(pending, (aside) =>
          writeParquet(connection, `(SELECT ${inside.join(', ')} FROM ${relation})`, aside, where),
        );
        const file = { path: [...names, `${id}.parquet`].join('/'), partition: values, rows, ...written };
        const there = before?.files.find((other) => same(other.partition, values) && other.digest === file.digest);
        fresh.push({ file, pending, there: there && (await intact(folder, there)) ? there : undefined });
      }),
    );
    const made = await commitFolder(folder, async (current) => {
      if (append && current !== undefined) requireSame(current, described, options.partitionBy, folder);
      const own: CommittedFile[] = [];
      for (const each of fresh) {
        const stays = current?.files.some(({ path }) => path === each.there?.path) === true;
        if (!stays) await showFile(folder, each);
        own.push(stays ? each.there! : each.file);
      }
      const others = append
        ? (current?.files.filter(({ partition }) => !own.some((file) => same(file.partition, partition))) ?? [])
        : [];
      const files = [...others, ...own].sort((a, b) => (a.path < b.path ? -1 : 1));
      return { version: 1, partitionBy: options.partitionBy, columns: described, files };
    });
    commit = made.commit;
    for (const { path } of made.dropped) await rm(join(folder, ...path.split('/')), { force: true });
  } catch (error) {
    throw unwritable(error, folder);
  } finally {
    const named = new Set(commit?.files.map(({ path }) => path));
    for (const { file, pending } of fresh) {
      await rm(pending, { force: true }).catch(() => undefined);
      if (!named.has(file.path))
        await rm(join(folder, ...file.path.split('/')), { force: true }).catch(() => undefined);
    }
  }
  await removeAbandoned(folder, commit);
  const total = (of: 'rows' | 'bytes'): number => fresh.reduce((sum, { file }) => sum + file[of], 0);
  return {
    rows: total('rows'),
    columns: columns.length,
    bytes: total('bytes'),
    digest: hashBytes(canonicalJson(fresh.map(({ file }) => [file.partition, file.digest]))),
    partitions: fresh.length,
    unchanged: fresh.filter(({ there }) => commit.files.some((file) => file.path === there?.path)).length,
  };
}

/** A file on its way into the folder. */
interface Fresh {
  file: CommittedFile;
  /** Where it lies until all are there. */
  pending: string;
  /** The same bytes, there already. */
  there?: CommittedFile;
}

/** Gives a finished file its name. */
async function showFile(folder: string, { file, pending }: Fresh): Promise<void> {
  const path = join(folder, ...file.path.split('/'));
  await rename(pending, path).catch((error: unknown) => {
    // Done when an earlier attempt to commit came too late.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  await sync(dirname(path));
}

/** What writers that were killed left here, once nobody can be writing it any more. */
async function removeAbandoned(folder: string, { files }: FolderCommit): Promise<void> {
  const named = new Set(files.map(({ path }) => path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory() || !OURS.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    if (named.has(relative(folder, path).split(sep).join('/'))) continue;
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > ABANDONED_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}

const OURS = /^(\.[0-9a-f]{8}\.pending(\..*)?|[0-9a-f]{8}\.parquet)$/;
const ABANDONED_MS = 24 * 3600_000;

const same = (a: readonly (string | null)[], b: readonly (string | null)[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

async function intact(folder: string, { path, digest }: CommittedFile): Promise<boolean> {
  return hashFile(join(folder, ...path.split('/'))).then(
    (found) => found.digest === digest,
    () => false,
  );
}

/** @throws OPTION_INVALID, COLUMN_NOT_FOUND, COLUMN_INVALID: values that cannot be the name of a folder and come back */
function partitionColumns(columns: Column[], names: string[], where: string): Column[] {
  const by = pickColumns(columns, names, `${where}, option partitionBy`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new HourglassError('OPTION_INVALID', `${where}: option partitionBy names "${twice}" twice.`);
  const bad = by.filter(({ type }) => !['string', 'integer', 'bigint', 'boolean', 'date'].includes(type));
  if (bad.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: expected text, whole numbers, booleans or dates to partition by, found ${bad.map(({ name, physical }) => `"${name}" (${physical})`).join(', ')}. Make a column of dates or text, by data/sql for example.`,
    );
  if (by.length === columns.length)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: option partitionBy names every column, so that nothing is left for the files.`,
    );
  return by;
}

const encodeName = (name: string): string => encodeURIComponent(name).replaceAll('*', '%2A');

function encodeValue(value: string | null, column: Column, where: string): string {
  if (value === null) return HIVE_MISSING;
  if (value === HIVE_MISSING || value === '')
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: column "${column.name}" holds ${value === '' ? 'the empty text' : `"${value}"`}, which as the name of a folder means a missing value. Replace it, by data/sql for example.`,
    );
  const encoded = encodeURIComponent(value).replaceAll('*', '%2A').replace(/^\./, '%2E');
  if (encoded.length > 200)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: column "${column.name}" holds "${value.slice(0, 40)}…", too long for the name of a folder. Partition by another column.`,
    );
  return encoded;
}

/** A folder with other files in it would be a mixture. */
async function requireOurs(folder: string): Promise<{ commit?: FolderCommit }> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return {};
  if (!found.isDirectory())
    throw new HourglassError(
      'SINK_UNWRITABLE',
      `${folder}: expected a folder, found a file. Choose another name, or leave partitionBy out.`,
    );
  const commit = await readCommit(folder);
  if (commit !== undefined) return { commit };
  const other = (await readdir(folder)).find((name) => !/^[._]/.test(name));
  // A first export that was killed leaves folders of partitions, but no manifest.
  if (other !== undefined && !(await onlyOurs(folder)))
    throw new HourglassError(
      'SINK_UNWRITABLE',
      `${folder}: the folder holds ${other}, which Hourglass did not write; old and new would be mixed. Name an empty folder.`,
    );
  return {};
}

async function onlyOurs(folder: string): Promise<boolean> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => !entry.isDirectory(),
  );
  return files.every(
    ({ name, parentPath }) => name.startsWith('.') || (OURS.test(name) && /=[^/\\]*$/.test(parentPath)),
  );
}

function requireSame(
  { columns, partitionBy }: FolderCommit,
  now: { name: string; physical: string }[],
  by: string[],
  folder: string,
): void {
  const differences: string[] = [];
  if (partitionBy.join('\n') !== by.join('\n'))
    differences.push(`it is partitioned by ${listNames(partitionBy)}, not ${listNames(by)}`);
  const before = new Map(columns.map(({ name, physical }) => [name, physical]));
  const after = new Map(now.map(({ name, physical }) => [name, physical]));
  const missing = [...before.keys()].filter((name) => !after.has(name));
  const extra = [...after.keys()].filter((name) => !before.has(name));
  const changed = [...after].filter(([name, physical]) => before.has(name) && before.get(name) !== physical);
  if (missing.length > 0) differences.push(`it has ${listNames(missing)} besides`);
  if (extra.length > 0) differences.push(`it lacks ${listNames(extra)}`);
  for (const [name, physical] of changed.slice(0, 8))
    differences.push(`"${name}" is ${before.get(name)} there and ${physical} here`);
  if (differences.length === 0 && columns.some(({ name }, i) => name !== now[i]!.name))
    differences.push('its columns are in another order');
  if (differences.length > 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `${folder}: cannot be appended to: ${differences.join('; ')}. Make the columns equal, export to another folder, or replace it (mode: replace).`,
      { details: { missing, extra, changed: changed.map(([name]) => name) } },
    );
}
