import { open } from 'node:fs/promises';
import { compressionRegistry, CompressionType, RecordBatchReader, type Data } from 'apache-arrow';
import { duckValue, isPlain, physicalOf } from './arrow-values.ts';
import type { Connection } from './duckdb.ts';
import { decodeLz4Frame } from './lz4-frame.ts';
import { refuseCaseTwins } from './write-parquet.ts';
import { openStaging } from './staging.ts';
import { decodeZstd } from './zstd.ts';

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decodeLz4Frame });
compressionRegistry.set(CompressionType.ZSTD, { decode: decodeZstd });

/** Copies an Arrow IPC file (or stream, or Feather 2) into temporary Parquet files, batch by batch. */
export async function stageArrow(
  connection: Connection,
  file: string,
  tempPath: () => Promise<string>,
): Promise<{ relation: string; files: string[]; columns: { name: string; physical: string }[] }> {
  const handle = await open(file);
  try {
    const reader = await (await RecordBatchReader.from(handle)).open();
    const columns = reader.schema.fields.map((field) => ({
      name: field.name,
      physical: physicalOf(field.type, field.name),
    }));
    refuseCaseTwins(
      columns.map((column) => column.name),
      `Source ${file}`,
    );
    const staging = await openStaging(connection, 'arrow_stage', columns, tempPath, true);
    for await (const batch of reader as AsyncIterable<{ numRows: number; data: Data }>) {
      await staging.append(batch.numRows, (chunk, from, n) => {
        batch.data.children.forEach((data, j) => {
          const vector = chunk.getColumnVector(j);
          const plain = isPlain(data.type);
          if (plain)
            (vector as unknown as { items: Float64Array }).items.set(
              (data.values as Float64Array).subarray(from, from + n),
            );
          if (!plain)
            for (let i = 0; i < n; i++) vector.setItem(i, duckValue(data, from + i, columns[j]!.name) as never);
          else if (data.nullCount > 0)
            for (let i = 0; i < n; i++) if (!data.getValid(from + i)) vector.setItem(i, null as never);
        });
      });
    }
    const { relation, files } = await staging.finish();
    return { relation, files, columns };
  } finally {
    await handle.close().catch(() => undefined);
  }
}
