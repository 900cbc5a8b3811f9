import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { findPackage } from './find-package.ts';
import { type PackageJson, resolveExport } from './package-exports.ts';

/** What of a stage's code enters its cache key. */
export interface CodeVersion {
  /** Package version when installed from a release, else a digest of the files the stage reaches. */
  version: string;
  /** Installed versions of the packages from outside that this code imports. */
  libraries: Record<string, string>;
}

interface SourceFile {
  /** mtime and size the rest was read at. */
  stamp: string;
  digest: string;
  /** Files of the workspace it imports. */
  files: string[];
  /** Packages from outside, by name. */
  packages: string[];
}

/** Parsed once and kept while the file's stamp stays: a second look costs one `stat` a file. */
const parsed = new Map<string, SourceFile>();

/**
 * The version of the code behind one stage. In a workspace it is exact: the stage's module and every file of the workspace
 * that its imports reach (type imports left out), sources or build, whichever runs; so that a change in `evaluate.ts` leaves
 * the cached training of `train.ts` alone.
 */
export function codeVersion(stage: { root: string; json: PackageJson; source: boolean; file: string }): CodeVersion {
  if (stage.root.includes(`${sep}node_modules${sep}`)) return releasedVersion(stage.root, stage.json);
  const files = new Map<string, SourceFile>();
  const pending = [stage.file];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (files.has(file)) continue;
    const source = read(file, stage.source);
    files.set(file, source);
    pending.push(...source.files);
  }
  const hash = createHash('sha256');
  const base = join(stage.root, '..');
  const entries = [...files].map(([file, source]) => `${relative(base, file).split(sep).join('/')} ${source.digest}\n`);
  for (const entry of entries.sort()) hash.update(entry);
  const libraries: Record<string, string> = {};
  for (const [file, source] of files)
    for (const name of source.packages) libraries[name] ??= installedVersion(name, dirname(file));
  return { version: `code-${hash.digest('hex').slice(0, 16)}`, libraries: sorted(libraries) };
}

function releasedVersion(root: string, json: PackageJson): CodeVersion {
  const libraries: Record<string, string> = {};
  const add = (from: string, dependencies: Record<string, string>): void => {
    for (const name of Object.keys(dependencies)) {
      if (name in libraries) continue;
      const found = findPackage(name, from);
      libraries[name] = found?.json.version ?? 'missing';
      // Our own packages belong to the code of the stage, so what they build on counts as well.
      if (found && name.startsWith('@hourglass/')) add(found.root, found.json.dependencies ?? {});
    }
  };
  // A plugin shares our packages and the tensor library with its host as peers; they are its code all the same.
  add(root, { ...json.peerDependencies, ...json.dependencies });
  return { version: json.version, libraries: sorted(libraries) };
}

function read(file: string, fromSource: boolean): SourceFile {
  const stat = statSync(file);
  const stamp = `${stat.mtimeMs}:${stat.size}`;
  const known = parsed.get(file);
  if (known?.stamp === stamp) return known;
  const text = readFileSync(file, 'utf8');
  const files = new Set<string>();
  const packages = new Set<string>();
  for (const specifier of specifiers(text)) {
    if (specifier.startsWith('.')) {
      const path = existing(join(dirname(file), specifier));
      if (path !== undefined) files.add(path);
    } else {
      const name = packageName(specifier);
      const found = findPackage(name, dirname(file));
      if (found === undefined) continue;
      if (found.installed) packages.add(name);
      else {
        const entry = resolveExport(found.root, found.json, `.${specifier.slice(name.length)}`, { source: fromSource });
        if (entry !== undefined) files.add(entry);
      }
    }
  }
  const source = {
    stamp,
    digest: createHash('sha256').update(text).digest('hex'),
    files: [...files],
    packages: [...packages],
  };
  parsed.set(file, source);
  return source;
}

/**
 * Module names a file imports when it runs, plus every string literal that looks like a neighbouring file
 * (`new URL('./x.wasm', import.meta.url)`, `{ module: './member.ts' }`): rather one file too many than one too few.
 */
function* specifiers(text: string): Iterable<string> {
  const statements = /(?:^|[\n;}])\s*(import|export)\s+(type\s)?[^'"`;()]*?from\s*(['"])([^'"\n]+)\3/g;
  for (const match of text.matchAll(statements)) if (match[2] === undefined) yield match[4]!;
  const bare = /(?:^|[\n;])\s*import\s*(['"])([^'"\n]+)\1|\bimport\(\s*(['"`])([^'"`\n$]+)\3\s*\)/g;
  for (const match of text.matchAll(bare)) yield (match[2] ?? match[4])!;
  for (const match of text.matchAll(/(from\s*)?(['"`])(\.{1,2}\/[^'"`\n$]+)\2/g))
    if (match[1] === undefined) yield match[3]!;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function installedVersion(name: string, from: string): string {
  return findPackage(name, from)?.json.version ?? 'missing';
}

function existing(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
