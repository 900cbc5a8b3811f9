import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { exportDataset, exportPartitions, ingest, type ExportFormat } from '../../index.ts';

// Writes what does not fit, in a process of which the kernel refuses large files, and prints what each write came to.

const [location, ref, folder, source] = process.argv.slice(2) as [string, string, string, string];
const { artifacts } = await openStore(location);
const data = JSON.parse(ref) as ArtifactRef;
const found: Record<string, string> = {};
const attempt = async (name: string, work: Promise<unknown>): Promise<void> => {
  found[name] = await work.then(
    () => 'written',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
};
for (const [format, codec] of [['parquet'], ['csv'], ['arrow'], ['parquet', 'parquetjs']] as [
  ExportFormat,
  'parquetjs'?,
][])
  await attempt(
    `${format} ${codec ?? ''}`.trim(),
    exportDataset(artifacts, data, `${folder}/out.${format}`, { format, codec }),
  );
await attempt('partitions', exportPartitions(artifacts, data, `${folder}/parts`, { partitionBy: ['part'] }));
await attempt('ingest', ingest(artifacts, { uri: source }));
console.log(JSON.stringify(found));
