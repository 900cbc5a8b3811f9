import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { PackageJson } from './package-exports.ts';

export interface FoundPackage {
  /** Symbolic links resolved. */
  root: string;
  json: PackageJson;
  /** From a `node_modules` folder, not a link to a workspace package. */
  installed: boolean;
}

const known = new Map<string, FoundPackage | undefined>();

/** The package that an import of `name` from a file in the folder `from` means. */
export function findPackage(name: string, from: string): FoundPackage | undefined {
  if (name.startsWith('node:')) return undefined;
  const key = `${name}\0${from}`;
  if (known.has(key)) return known.get(key);
  let found: FoundPackage | undefined;
  try {
    const root = realpathSync(join(from, 'node_modules', name));
    const json = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
    found = { root, json, installed: root.includes(`${sep}node_modules${sep}`) };
  } catch {
    if (dirname(from) !== from) found = findPackage(name, dirname(from));
  }
  known.set(key, found);
  return found;
}
