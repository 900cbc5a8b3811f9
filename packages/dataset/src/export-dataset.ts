import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import { parquetScan, text } from './sql.ts';
import { writeParquet } from './write-parquet.ts';

export type ExportFormat = 'parquet' | 'csv';

/**
 * Writes a dataset to one local file, whole or not at all: a temporary name beside it, fsync, rename. Columns, physical
 * types, order and values are those of the dataset.
 *
 * @throws SINK_UNWRITABLE, DISK_FULL
 */
export async function exportDataset(
  store: ArtifactStore,
  ref: ArtifactRef,
  path: string,
  format: ExportFormat,
): Promise<{ bytes: number; digest: string }> {
  const manifest = await readManifest(store, ref);
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await withConnection(async (connection) => {
      const relation = parquetScan(manifest.parts.map((part) => part.path));
      if (format === 'parquet') await writeParquet(connection, relation, aside, `Export to ${path}`);
      else await connection.run(`COPY (SELECT * FROM ${relation}) TO ${text(aside)} (FORMAT csv, HEADER)`);
    });
    const file = await open(aside, 'r');
    const { size } = await file.stat();
    await file.sync().finally(() => file.close());
    const hash = createHash('sha256');
    await pipeline(createReadStream(aside), hash);
    await rename(aside, path);
    return { bytes: size, digest: hash.digest('hex') };
  } catch (error) {
    if (error instanceof HourglassError) throw error;
    const message = (error as Error).message;
    const full = /ENOSPC|No space left/.test(message);
    throw new HourglassError(
      full ? 'DISK_FULL' : 'SINK_UNWRITABLE',
      `${path}: cannot write it: ${message}. ${full ? 'Free some room' : 'Check the path and its permissions'}, then run again.`,
      { cause: error },
    );
  } finally {
    await rm(aside, { force: true });
  }
}
