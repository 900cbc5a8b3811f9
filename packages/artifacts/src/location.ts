import { resolve } from 'node:path';

/** Where the artifacts lie, nearest first: `--store`, `HOURGLASS_HOME`, `.hourglass` in the current folder. URIs are kept as they are. */
export function resolveStoreLocation(from: {
  flag?: string;
  env?: Record<string, string | undefined>;
  cwd?: string;
}): string {
  const { flag, env = process.env, cwd = process.cwd() } = from;
  const location = flag || env['HOURGLASS_HOME'] || '.hourglass';
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location) ? location : resolve(cwd, location);
}
