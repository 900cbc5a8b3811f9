import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a package.json that discovery reads. */
export interface PackageJson {
  name: string;
  version: string;
  keywords?: string[];
  exports?: unknown;
  main?: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Export condition under which packages of the workspace give their TypeScript sources. */
export const SOURCE_CONDITION = '@hourglass/source';

/** True when this very file runs from its TypeScript source: then the sources of workspace packages are used, too. */
export const runsFromSource = import.meta.url.endsWith('.ts');

/**
 * The file a package exports as `subpath` (`.`, `./train`), by Node's rules for `exports` with the conditions given.
 * Own code because `import.meta.resolve` resolves from this file only and always with the process's conditions.
 */
export function resolveExport(
  root: string,
  json: PackageJson,
  subpath: string,
  options: { source: boolean },
): string | undefined {
  const conditions = new Set(['node', 'import', 'default', ...(options.source ? [SOURCE_CONDITION] : [])]);
  const table = json.exports;
  if (table === undefined) return subpath === '.' ? existing(join(root, json.main ?? 'index.js')) : undefined;
  if (typeof table !== 'object' || table === null || !Object.keys(table).some((key) => key.startsWith('.')))
    return subpath === '.' ? target(root, table, conditions, '') : undefined;
  const entries = table as Record<string, unknown>;
  if (subpath in entries) return target(root, entries[subpath], conditions, '');
  const patterns = Object.keys(entries)
    .filter((key) => key.includes('*'))
    .sort((a, b) => b.indexOf('*') - a.indexOf('*'));
  for (const pattern of patterns) {
    const [before, after] = pattern.split('*') as [string, string];
    if (subpath.startsWith(before) && subpath.endsWith(after) && subpath.length >= before.length + after.length) {
      const star = subpath.slice(before.length, subpath.length - after.length);
      return target(root, entries[pattern], conditions, star);
    }
  }
  return undefined;
}

function target(root: string, value: unknown, conditions: Set<string>, star: string): string | undefined {
  if (typeof value === 'string') return existing(join(root, value.replaceAll('*', star)));
  if (Array.isArray(value)) return value.map((item) => target(root, item, conditions, star)).find(Boolean);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [condition, inner] of Object.entries(value)) {
    if (!conditions.has(condition)) continue;
    const found = target(root, inner, conditions, star);
    if (found !== undefined) return found;
  }
  return undefined;
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}
