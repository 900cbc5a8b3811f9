import { open, rm, type FileHandle } from 'node:fs/promises';
import { isDiskFull } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import type { DataArray } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import { columnCount, valueWidth, type TableLayout } from '../columns/encoder.ts';
import type { RowSource } from '../training/row-source.ts';

/** Encoded rows in a file, one record a row: written once in order, read by blocks in any. */
export interface Spool {
  append(encoded: EncodedTable): Promise<void>;
  /** Ends writing. */
  source(shardBytes: number): RowSource;
  /** Removes the file. */
  close(): Promise<void>;
}

/** Reads of half a megabyte: long enough for a disk, short enough to mix well. */
const BLOCK_BYTES = 2 ** 19;

/** Arrays of a row as the engine takes them, in the record's order. */
const fieldsOf = (layout: TableLayout) =>
  [
    { name: 'w', dtype: 'float32', width: columnCount(layout) },
    { name: 'x', dtype: 'float32', width: valueWidth(layout) },
    { name: 'codes', dtype: 'int32', width: layout.categories.length },
    { name: 'cycles', dtype: 'float32', width: layout.cycles.reduce((sum, { width }) => sum + width, 0) },
  ].filter(({ width }) => width > 0) as {
    name: keyof EncodedTable & string;
    dtype: 'float32' | 'int32';
    width: number;
  }[];

/** Bytes a row takes in memory and in the file. */
export const encodedRowBytes = (layout: TableLayout): number =>
  4 * fieldsOf(layout).reduce((sum, { width }) => sum + width, 0);

/** @param batchSize blocks hold whole batches, so that only one batch of an epoch is smaller */
export async function openSpool(path: string, layout: TableLayout, batchSize: number): Promise<Spool> {
  const file: FileHandle = await open(path, 'w+');
  const fields = fieldsOf(layout);
  const rowBytes = encodedRowBytes(layout);
  const words = rowBytes / 4;
  const blockRows = Math.max(1, Math.round(BLOCK_BYTES / rowBytes / batchSize)) * batchSize;
  let rows = 0;
  return {
    async append(encoded) {
      const buffer = new ArrayBuffer(encoded.rows * rowBytes);
      const views = { float32: new Float32Array(buffer), int32: new Int32Array(buffer) };
      let at = 0;
      for (const { name, dtype, width } of fields) {
        const values = encoded[name] as Float32Array | Int32Array;
        for (let row = 0; row < encoded.rows; row++)
          for (let j = 0; j < width; j++) views[dtype][row * words + at + j] = values[row * width + j]!;
        at += width;
      }
      await writeAll(file, new Uint8Array(buffer), rows * rowBytes);
      rows += encoded.rows;
    },
    source: (shardBytes) => ({
      rows,
      blockRows,
      rowBytes,
      shardBytes,
      async read(blocks) {
        const sizes = blocks.map((block) => Math.min(blockRows, rows - block * blockRows));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const arrays = fields.map(({ name, dtype, width }) => ({
          name,
          width,
          array:
            dtype === 'float32'
              ? ({ dtype, shape: [total, width], values: new Float32Array(total * width) } as DataArray)
              : ({ dtype, shape: [total, width], values: new Int32Array(total * width) } as DataArray),
        }));
        const buffer = new ArrayBuffer(blockRows * rowBytes);
        const views = { float32: new Float32Array(buffer), int32: new Int32Array(buffer) };
        let first = 0;
        for (const [i, block] of blocks.entries()) {
          await readAll(file, new Uint8Array(buffer, 0, sizes[i]! * rowBytes), block * blockRows * rowBytes);
          let at = 0;
          for (const { width, array } of arrays) {
            const { values } = array;
            const view = views[array.dtype];
            for (let row = 0; row < sizes[i]!; row++)
              for (let j = 0; j < width; j++) values[(first + row) * width + j] = view[row * words + at + j]!;
            at += width;
          }
          first += sizes[i]!;
        }
        return Object.fromEntries(arrays.map(({ name, array }) => [name, array]));
      },
    }),
    async close() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

/** @throws DISK_FULL */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;)
      at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw new HourglassError(
      'DISK_FULL',
      `no room for the rows to train on: ${((position + bytes.length) / 2 ** 20).toFixed(0)} MiB of them were to be on disk, since they take more than shardMiB; free some room, or train on fewer with maxRows`,
      { cause: error },
    );
  }
}

async function readAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) throw new Error('the file of encoded rows ends early');
    at += bytesRead;
  }
}
