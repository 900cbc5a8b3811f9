import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { deliverFile, hashBytes, unwritable } from '@hourglass/artifacts';
import { canonicalJson, HourglassError } from '@hourglass/core';
import { encodeImage, encodePng, formatOfName, isOtherFormat, mapAhead, pngName, readImages } from '@hourglass/images';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { PICTURE_DESTINATIONS, type exportImages } from './images-manifest.ts';
import { refuseForeign, writeRecord } from './picture-record.ts';

const STAGE = 'data/export-images';

export const run: StageRun<typeof exportImages> = async (context, { data }, { uri, column, quality }) => {
  if (isOtherFormat(uri, data.rows === 1))
    throw new HourglassError('OPTION_INVALID', `${STAGE}: uri: expected ${PICTURE_DESTINATIONS}; found "${uri}".`);
  const format = formatOfName(uri);
  const images = readImages(context.artifacts, data, { column, where: STAGE });
  if (!format) return { written: await deliverFolder(context, uri, images, data.rows ?? 0) };
  if (data.rows !== 1)
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: ${uri} is one file, the dataset holds ${data.rows} pictures. Name a folder.`,
    );
  const { value } = await images.next();
  await images.return(undefined);
  const bytes = await encodeImage(value!.image, format, quality);
  const file = await deliverFile(uri, (aside) => writeFile(aside, bytes));
  return { written: { images: 1, ...file } };
};

/** A folder of PNGs, whole or not at all: written beside, then put in the place of the one before. */
async function deliverFolder(
  context: StageContext,
  uri: string,
  images: ReturnType<typeof readImages>,
  count: number,
): Promise<{ images: number; bytes: number; digest: string }> {
  const aside = join(dirname(uri), `.${basename(uri)}.${randomUUID().slice(0, 8)}.part`);
  const written: [string, string][] = [];
  const names = new Set<string>();
  let bytes = 0;
  try {
    await refuseForeign(uri);
    await mkdir(aside, { recursive: true });
    const encoded = mapAhead(images, 8, async ({ name, image, row }) => ({ name, row, png: await encodePng(image) }));
    for await (const { name, row, png } of encoded) {
      const file = unique(safeName(name, row), row, names);
      await mkdir(dirname(join(aside, file)), { recursive: true });
      await writeFile(join(aside, file), png);
      written.push([file, hashBytes(png)]);
      bytes += png.byteLength;
      if (written.length % 256 === 0) {
        context.signal.throwIfAborted();
        context.progress(written.length / count, `wrote ${written.length} of ${count} pictures`);
      }
    }
    await writeRecord(
      aside,
      written.map(([file]) => file),
    );
    await putInPlace(aside, uri);
  } catch (error) {
    throw error instanceof HourglassError || (error as Error).name === 'AbortError' ? error : unwritable(error, uri);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return { images: written.length, bytes, digest: hashBytes(canonicalJson(written.sort())) };
}

/** The folder before goes only when the new one is there; whatever came into it while pictures were written is kept. */
async function putInPlace(aside: string, uri: string): Promise<void> {
  const before = `${aside}.before`;
  const existed = await rename(uri, before).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await refuseForeign(before, uri);
    await rename(aside, uri);
  } catch (error) {
    if (existed) await rename(before, uri);
    throw error;
  }
  await rm(before, { recursive: true, force: true });
}

/** A name that stays within the folder. */
function safeName(name: string, row: number): string {
  const clean = normalize(pngName(name))
    .split(sep)
    .filter((piece) => piece !== '..' && piece !== '.' && piece !== '');
  return clean.length > 0 ? join(...clean) : `${row + 1}.png`;
}

function unique(name: string, row: number, taken: Set<string>): string {
  let free = name;
  for (let n = row + 1; taken.has(free.toLowerCase()); n++) free = `${name.slice(0, -4)}-${n}.png`;
  taken.add(free.toLowerCase());
  return free;
}
