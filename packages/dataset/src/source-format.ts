import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { HourglassError } from '@hourglass/core';

export const SOURCE_FORMATS = ['parquet', 'csv', 'arrow', 'jsonl', 'idx'] as const;
export type SourceFormat = (typeof SOURCE_FORMATS)[number];

/** What reads and writes Parquet: DuckDB, or pure JavaScript where DuckDB's own reader is not wanted. */
export type ParquetCodec = 'duckdb' | 'parquetjs';

const EXTENSIONS: [RegExp, SourceFormat][] = [
  [/\.(parquet|pq|parq)$/i, 'parquet'],
  [/\.(csv|tsv|txt)(\.gz|\.zst)?$/i, 'csv'],
  [/\.(arrow|feather|ipc)$/i, 'arrow'],
  [/\.(jsonl|ndjson)(\.gz|\.zst)?$/i, 'jsonl'],
  [/[.-]idx\d?(-u?byte|-short|-int|-float|-double)?(\.gz)?$/i, 'idx'],
];

/** Data files of a folder: hidden ones and those marked by an underscore (`_SUCCESS`) are no data, by custom. */
export const isDataFile = (path: string): boolean => !/^[._]/.test(basename(path));

/** The format of a file by its name, else by its first bytes. @throws SOURCE_INVALID */
export async function formatOf(path: string): Promise<SourceFormat> {
  const byName = EXTENSIONS.find(([pattern]) => pattern.test(path))?.[1];
  if (byName !== undefined) return byName;
  const { head } = await ends(path);
  if (head.startsWith('PAR1')) return 'parquet';
  if (head.startsWith('ARROW1')) return 'arrow';
  throw new HourglassError(
    'SOURCE_INVALID',
    `Source ${path}: expected a file called *.parquet, *.csv, *.tsv, *.arrow, *.feather, *.jsonl or *-idx3-ubyte, found "${basename(path)}". Set \`format\`, or name the data files by a glob.`,
    { details: { path } },
  );
}

/** Finds files that cannot be what they claim before a database looks at them. @throws SOURCE_INVALID */
export async function checkFile(path: string, format: SourceFormat): Promise<void> {
  const { size, head, tail } = await ends(path);
  const invalid = (problem: string): HourglassError =>
    new HourglassError('SOURCE_INVALID', `Source ${path}: ${problem}`, { details: { path, size } });
  if (size === 0) throw invalid('the file is empty (0 bytes). Write it again.');
  if (format === 'parquet') {
    if (head.startsWith('PARE')) throw invalid('the Parquet file is encrypted. Decrypt it first.');
    if (!head.startsWith('PAR1'))
      throw invalid(
        `expected a Parquet file (it begins with PAR1), found one that begins with ${shown(head)}${guess(head)}.`,
      );
    if (!tail.endsWith('PAR1') || size < 12)
      throw invalid(
        `the Parquet file is cut short: its ${size} bytes begin as Parquet but end without the footer. Copy or write it again.`,
      );
  }
  if (format === 'arrow' && !head.startsWith('ARROW1'))
    throw invalid(
      `expected an Arrow IPC file (it begins with ARROW1), found one that begins with ${shown(head)}${guess(head)}.`,
    );
  if ((format === 'csv' || format === 'jsonl') && /^(PAR1|ARROW1)/.test(head))
    throw invalid(
      `expected ${format.toUpperCase()}, found a file that begins with ${shown(head)}${guess(head)}. Set \`format\`.`,
    );
}

async function ends(path: string): Promise<{ size: number; head: string; tail: string }> {
  const file = await open(path).catch((error: unknown) => {
    throw new HourglassError('SOURCE_INVALID', `Source ${path}: cannot be opened (${(error as Error).message}).`, {
      cause: error,
    });
  });
  try {
    const { size } = await file.stat();
    const read = async (at: number): Promise<string> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, Math.max(0, at));
      return buffer.subarray(0, bytesRead).toString('latin1');
    };
    return { size, head: await read(0), tail: await read(size - 8) };
  } finally {
    await file.close();
  }
}

const shown = (head: string): string => JSON.stringify(head.replace(/[^\x20-\x7e]/g, '·'));

function guess(head: string): string {
  if (head.startsWith('PAR1')) return ' (Parquet)';
  if (head.startsWith('ARROW1')) return ' (Arrow IPC)';
  if (head.startsWith('PK')) return ' (a zip archive)';
  if (head.startsWith('\x1f\x8b')) return ' (gzip)';
  if (/^[{[]/.test(head)) return ' (perhaps JSON)';
  return /^[\x20-\x7e\r\n\t]+$/.test(head) ? ' (text, perhaps CSV)' : '';
}
