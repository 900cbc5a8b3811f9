import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { didYouMean, firstNames, HourglassError } from '@hourglass/core';
import { readCommit, type FolderCommit } from './folder-commits.ts';
import { globBase, globPattern, isGlob } from './glob.ts';
import { isUri } from './location.ts';
import { isNpmUri, npmPackageFolder, parseNpmUri } from './npm-source.ts';
import { remoteSourceFiles } from './s3/sources.ts';
import { isS3Uri } from './s3/uri.ts';
import { errnoOf } from './storage-error.ts';

/** The files a source stands for. */
export interface SourceFiles {
  kind: 'file' | 'folder' | 'glob';
  /** Folder that the names are relative to. */
  root: string;
  /** Absolute, sorted by name. */
  files: string[];
  /** Of a folder that was delivered by partitions: what it holds. `files` are those of it. */
  commit?: FolderCommit;
}

/**
 * A path that exists is taken literally, even with wildcards in its name. `s3://` and `npm://` sources are brought to this
 * machine first.
 *
 * @param onFetch told when a package is about to be fetched, which may take a while
 * @throws SOURCE_NOT_FOUND, SOURCE_INVALID
 */
export async function listSourceFiles(
  source: string,
  baseDir = process.cwd(),
  onFetch?: (message: string) => void,
): Promise<SourceFiles> {
  if (isS3Uri(source)) return remoteSourceFiles(source);
  if (isNpmUri(source)) {
    const folder = await npmPackageFolder(source, onFetch);
    return listSourceFiles(parseNpmUri(source).path || '.', folder);
  }
  if (isUri(source) && !source.startsWith('file://'))
    throw new HourglassError(
      'SOURCE_INVALID',
      `Source "${source}": expected a file, folder or glob of this machine, s3://bucket/… or npm://NAME@VERSION/…, found a URI of another kind. Download it first.`,
    );
  const path = resolve(baseDir, source.startsWith('file://') ? decodeURIComponent(new URL(source).pathname) : source);
  const info = await stat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw unreadable(source, path, error);
  });
  if (info?.isDirectory()) {
    const commit = await readCommit(path);
    if (commit !== undefined) return committed(source, path, commit);
    const files = await walk(path, source);
    if (files.length === 0)
      throw new HourglassError('SOURCE_NOT_FOUND', `Source "${source}": the folder ${path} holds no files.`);
    return { kind: 'folder', root: path, files };
  }
  if (info !== undefined) return { kind: 'file', root: dirname(path), files: [path] };
  if (isGlob(path)) {
    const pattern = globPattern(path.split(sep).join('/'));
    const root = resolve(globBase(path.split(sep).join('/')));
    const files = (await isFolder(root)) ? await walk(root, source) : [];
    const matching = files.filter((file) => pattern.test(file.split(sep).join('/')));
    if (matching.length > 0) return { kind: 'glob', root, files: matching };
    if (await isFolder(root))
      throw new HourglassError(
        'SOURCE_NOT_FOUND',
        `Source "${source}": none of the ${files.length} files under ${root} matches ${path}. ${contents(files.map((f) => basename(f)))}`,
      );
    throw await absent(source, root);
  }
  throw await absent(source, path);
}

/** The files that a commit names, whatever else lies there. */
async function committed(source: string, root: string, commit: FolderCommit): Promise<SourceFiles> {
  const files = commit.files.map(({ path }) => join(root, ...path.split('/')));
  for (const [i, file] of files.entries())
    if (!(await stat(file).catch(() => undefined)))
      throw new HourglassError(
        'SOURCE_NOT_FOUND',
        `Source "${source}": expected the file ${commit.files[i]!.path} that the folder's manifest names, found none. Export the folder again.`,
        { details: { source, path: file } },
      );
  return { kind: 'folder', root, files, commit };
}

/** Every regular file below a folder, sorted; links are followed, each folder once. */
async function walk(folder: string, source: string): Promise<string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  async function visit(path: string): Promise<void> {
    const real = await realpath(path);
    if (seen.has(real)) return;
    seen.add(real);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      const kind = entry.isSymbolicLink() ? await stat(child).catch(() => undefined) : entry;
      if (kind?.isDirectory()) await visit(child);
      else if (kind?.isFile()) files.push(child);
    }
  }
  await visit(folder).catch((error: unknown) => {
    throw unreadable(source, folder, error);
  });
  return files.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** Names what is there instead, at the first folder of the path that exists. */
async function absent(source: string, path: string): Promise<HourglassError> {
  let missing = path;
  while (!(await isFolder(dirname(missing)))) missing = dirname(missing);
  const folder = dirname(missing);
  const there = await readdir(folder).catch(() => []);
  const near = didYouMean(basename(missing), there);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  return new HourglassError(
    'SOURCE_NOT_FOUND',
    `Source "${source}": expected a file or folder at ${path}, found no "${basename(missing)}" in ${folder}.${hint} ${contents(there)}`,
    { details: { source, path, near } },
  );
}

function contents(names: string[]): string {
  if (names.length === 0) return 'The folder is empty.';
  return `It holds ${firstNames(names, 8)}.`;
}

function unreadable(source: string, path: string, error: unknown): HourglassError {
  return new HourglassError(
    'SOURCE_INVALID',
    `Source "${source}": ${path} cannot be read (${errnoOf(error) ?? String(error)}). Check its permissions.`,
    { cause: error },
  );
}
