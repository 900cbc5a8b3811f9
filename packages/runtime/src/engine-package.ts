import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageJson } from './package-exports.ts';

let known: { root: string; json: PackageJson; file: string } | undefined;

/** Folder, package.json and entry of `@hourglass/engine` as this process resolves it. */
export function enginePackage(): { root: string; json: PackageJson; file: string } {
  if (known === undefined) {
    const file = fileURLToPath(import.meta.resolve('@hourglass/engine'));
    const root = dirname(dirname(file));
    known = { root, json: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson, file };
  }
  return known;
}
