import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { firstNames, HourglassError } from '@hourglass/core';

/** Within a folder of pictures: names those that were written there, so that nobody else's are taken for them. */
const RECORD = '.hourglass-images.json';

/** @param names below the folder */
export async function writeRecord(folder: string, names: readonly string[]): Promise<void> {
  const pictures = names.map(slashed).sort();
  await writeFile(join(folder, RECORD), `${JSON.stringify({ version: 1, pictures }, undefined, 1)}\n`);
}

/**
 * A folder that holds anything else than recorded pictures is not ours to replace.
 *
 * @param uri how the folder is called where it is looked at in another place
 * @throws SINK_UNWRITABLE with the names of the others
 */
export async function refuseForeign(folder: string, uri = folder): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) return;
  const where = `data/export-images: ${uri}`;
  if (!found.isDirectory())
    throw new HourglassError('SINK_UNWRITABLE', `${where}: expected a folder, or a new name; found a file.`);
  const recorded = await readRecord(folder);
  const own = new Set([RECORD, ...(recorded ?? [])]);
  const others = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => slashed(relative(folder, join(entry.parentPath, entry.name))))
    .filter((name) => !own.has(name))
    .sort();
  if (others.length === 0) return;
  throw new HourglassError(
    'SINK_UNWRITABLE',
    `${where}: expected a folder that holds only what was exported to it, as it is replaced as a whole; found ${firstNames(others, 5)}. ` +
      (recorded
        ? 'Name another folder, or move them elsewhere.'
        : `Name another folder. If it is an export of an earlier version, which left no ${RECORD}, move it away first.`),
    { details: { others } },
  );
}

/** Names below the folder; undefined without a record that can be read. */
async function readRecord(folder: string): Promise<string[] | undefined> {
  try {
    const { pictures } = JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as { pictures?: unknown };
    return Array.isArray(pictures) ? (pictures as string[]) : undefined;
  } catch {
    return undefined;
  }
}

const slashed = (path: string): string => path.split(sep).join('/');
