import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { HourglassError } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { openStaging } from './staging.ts';

interface Element {
  physical: string;
  bytes: number;
  /** Numbers are stored most significant byte first. */
  read(view: DataView, at: number): number;
}

/** Types by the third byte of an idx file. */
const ELEMENTS: Record<number, Element> = {
  0x08: { physical: 'UTINYINT', bytes: 1, read: (view, at) => view.getUint8(at) },
  0x09: { physical: 'TINYINT', bytes: 1, read: (view, at) => view.getInt8(at) },
  0x0b: { physical: 'SMALLINT', bytes: 2, read: (view, at) => view.getInt16(at) },
  0x0c: { physical: 'INTEGER', bytes: 4, read: (view, at) => view.getInt32(at) },
  0x0d: { physical: 'FLOAT', bytes: 4, read: (view, at) => view.getFloat32(at) },
  0x0e: { physical: 'DOUBLE', bytes: 8, read: (view, at) => view.getFloat64(at) },
};

interface Header {
  element: Element;
  rows: number;
  /** Values of a row. */
  width: number;
  /** Lengths beyond the rows: none of labels, two of images. */
  shape: number[];
  /** Bytes of the header. */
  bytes: number;
}

/**
 * Copies an idx file (the format of MNIST, plain or gzip) into temporary Parquet files: the first dimension is the rows,
 * each row one number (`label`) or one vector (`pixels`).
 *
 * @param labels the file of an image file's labels, a second column
 * @throws SOURCE_INVALID naming what is wrong with the file
 */
export async function stageIdx(
  connection: Connection,
  file: string,
  tempPath: () => Promise<string>,
  labels?: string,
): Promise<{ relation: string; files: string[]; columns: { name: string; physical: string }[] }> {
  const sources = [{ path: file, ...(await readHeader(file)) }];
  if (labels !== undefined) {
    const second = { path: labels, ...(await readHeader(labels)) };
    if (second.rows !== sources[0]!.rows)
      throw invalid(
        file,
        `it holds ${sources[0]!.rows} rows and ${basename(labels)} ${second.rows} labels; they must be as many. Copy both again`,
      );
    sources.push(second);
  }
  const named = sources.length > 1 ? ['pixels', 'label'] : [sources[0]!.shape.length > 0 ? 'pixels' : 'label'];
  const columns = sources.map(({ element, shape }, j) => ({
    name: named[j]!,
    physical: `${element.physical}${shape.length > 0 ? '[]' : ''}`,
  }));
  const staging = await openStaging(
    connection,
    'idx_stage',
    sources.map(({ element, width, shape }, j) => ({
      name: named[j]!,
      physical: `${element.physical}${shape.length > 0 ? `[${width}]` : ''}`,
    })),
    tempPath,
    true,
  );
  const readers = sources.map((source) => rowsOf(source));
  try {
    for (let row = 0; row < sources[0]!.rows;) {
      const n = Math.min(2048, sources[0]!.rows - row);
      const blocks = await Promise.all(readers.map((reader) => reader.take(n)));
      await staging.append(n, (chunk, from, count) => {
        sources.forEach(({ element, width, shape }, j) => {
          const vector = chunk.getColumnVector(j);
          // The typed array behind a vector is not part of the package's types.
          const { items } = (shape.length > 0 ? (vector as unknown as { childData: unknown }).childData : vector) as {
            items: { [index: number]: number };
          };
          for (let i = 0; i < count * width; i++)
            items[i] = element.read(blocks[j]!, (from * width + i) * element.bytes);
        });
      });
      row += n;
    }
    for (const reader of readers) await reader.end();
  } finally {
    for (const reader of readers) reader.close();
  }
  const { relation, files } = await staging.finish();
  return { relation, files, columns };
}

/**
 * Which label file belongs to which image file of a source, by MNIST's names (`…-images-idx3-…`, `…-labels-idx1-…`): both
 * are one table. @returns image file → label file
 */
export function pairLabels(files: readonly string[]): Map<string, string> {
  const plain = new Map(files.map((file) => [file.replace(/\.gz$/i, ''), file]));
  return new Map(
    files.flatMap((file): [string, string][] => {
      const labels = plain.get(file.replace(/\.gz$/i, '').replace(/images([.-])idx3(?=[^/\\]*$)/i, 'labels$1idx1'));
      return labels !== undefined && labels !== file ? [[file, labels]] : [];
    }),
  );
}

async function readHeader(file: string): Promise<Header> {
  const reader = bytesOf(file);
  try {
    const magic = await reader.take(4);
    const element = ELEMENTS[magic.getUint8(2)];
    const dimensions = magic.getUint8(3);
    if (magic.getUint16(0) !== 0 || element === undefined || dimensions === 0)
      throw invalid(
        file,
        `expected an idx file (it begins with 00 00, a type and the number of dimensions), found one that begins with ${hex(magic)}. Set \`format\` if it is another kind of file`,
      );
    const sizes: number[] = [];
    for (let k = 0; k < dimensions; k++) sizes.push((await reader.take(4)).getUint32(0));
    const [rows, ...shape] = sizes as [number, ...number[]];
    const width = shape.reduce((product, size) => product * size, 1);
    if (width === 0 || width > 2 ** 20)
      throw invalid(file, `its rows have ${shape.join(' × ')} values; expected between 1 and ${2 ** 20}`);
    return { element, rows, shape, width, bytes: 4 + 4 * dimensions };
  } finally {
    reader.close();
  }
}

/** The rows of a file, one block after the other. */
function rowsOf({ path, element, width, rows, bytes }: Header & { path: string }): {
  take(n: number): Promise<DataView>;
  end(): Promise<void>;
  close(): void;
} {
  const reader = bytesOf(path, `its header speaks of ${rows} rows`);
  let begun = false;
  const begin = async (): Promise<void> => {
    if (!begun) await reader.take(bytes);
    begun = true;
  };
  return {
    async take(n) {
      await begin();
      return reader.take(n * width * element.bytes);
    },
    async end() {
      if (await reader.more())
        throw invalid(path, `bytes follow the ${rows} rows of its header. Copy or write it again`);
    },
    close: () => reader.close(),
  };
}

/** Bytes read at a time: many rows, since what is left of a piece is joined to the next. */
const PIECE = 2 ** 20;

/** Bytes of a file from the first on, unpacked where it is gzip. */
function bytesOf(path: string, expected = 'an idx header has at least 8 bytes') {
  const file = createReadStream(path, { highWaterMark: PIECE });
  const stream = /\.gz$/i.test(path) ? file.pipe(createGunzip({ chunkSize: PIECE })) : file;
  file.on('error', (error) => stream.destroy(error));
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Uint8Array = Buffer.alloc(0);
  const next = async (): Promise<boolean> => {
    const { done, value } = await pieces.next().catch((error: unknown) => {
      throw invalid(path, `it cannot be read (${(error as Error).message}). Copy or write it again`, error);
    });
    if (!done) held = held.length > 0 ? Buffer.concat([held, value]) : value;
    return !done;
  };
  return {
    async take(count: number): Promise<DataView> {
      while (held.length < count)
        if (!(await next())) throw invalid(path, `the file is cut short: ${expected}. Copy or write it again`);
      const taken = held.subarray(0, count);
      held = held.subarray(count);
      return new DataView(taken.buffer, taken.byteOffset, count);
    },
    more: async () => held.length > 0 || next(),
    close: () => void file.destroy(),
  };
}

const hex = (view: DataView): string =>
  Array.from({ length: view.byteLength }, (_, i) => view.getUint8(i).toString(16).padStart(2, '0')).join(' ');

const invalid = (path: string, problem: string, cause?: unknown): HourglassError =>
  new HourglassError('SOURCE_INVALID', `Source ${path}: ${problem}.`, { details: { path }, cause });
