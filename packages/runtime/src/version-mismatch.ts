import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import satisfies from 'semver/functions/satisfies.js';
import { findPackage } from './find-package.ts';
import type { PackageJson } from './package-exports.ts';

/** Packages that a plugin's manifest and stages are written against. All of ours are released together. */
const CONTRACT = ['@hourglass/core', '@hourglass/plugin-kit'];

/** The sentence on a plugin that asks for another version of Hourglass than this one; undefined when it fits. */
export function versionMismatch(json: PackageJson): string | undefined {
  const own = findPackage('@hourglass/core', dirname(fileURLToPath(import.meta.url)))?.json.version;
  const asked = { ...json.dependencies, ...json.peerDependencies };
  for (const name of CONTRACT) {
    const range = asked[name];
    // `file:`, `workspace:` and tags say nothing of versions; satisfies() takes them for ranges nothing meets.
    if (own === undefined || range === undefined || range === own || !/^[\d^~<>=*x.\s|&-]+/.test(range)) continue;
    if (!satisfies(own, range, { includePrerelease: true }))
      return `it needs ${name} ${range}, and this Hourglass is ${own}. Install the version of the plugin that fits, or update Hourglass (npm install @hourglass/cli@latest).`;
  }
  return undefined;
}
