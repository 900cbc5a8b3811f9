import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A package that is published, and its tarball. */
export interface Packed {
  name: string;
  root: string;
  tarball: string;
  /** Paths in the tarball. */
  files: string[];
}

export const root = resolve(import.meta.dirname, '../..');

/** Folders of the packages that are published. */
export function publicPackages(): { name: string; folder: string }[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
  return workspaces
    .flatMap((pattern) =>
      pattern.endsWith('/*')
        ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => pattern.replace('*', name))
        : [pattern],
    )
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, json: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }))
    .filter(({ json }) => json.private !== true)
    .map(({ folder, json }) => ({ name: json.name as string, folder }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `npm pack` of all packages that are published, as built now. */
export function packAll(destination: string): Packed[] {
  const packages = publicPackages();
  const unbuilt = packages.filter(({ folder }) => !existsSync(join(root, folder, 'dist/index.js')));
  if (unbuilt.length > 0)
    throw new Error(`Not built: ${unbuilt.map(({ name }) => name).join(', ')}. Run: npm run build`);
  const output = execFileSync(
    'npm',
    [
      'pack',
      '--json',
      '--ignore-scripts',
      '--pack-destination',
      destination,
      ...packages.flatMap(({ name }) => ['-w', name]),
    ],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 27 },
  );
  const packed = Object.values(
    JSON.parse(output) as Record<string, { name: string; filename: string; files: { path: string }[] }>,
  );
  return packed.map(({ name, filename, files }) => ({
    name,
    root: join(root, packages.find((each) => each.name === name)!.folder),
    tarball: join(destination, filename.replace('@', '').replace('/', '-')),
    files: files.map(({ path }) => path),
  }));
}
