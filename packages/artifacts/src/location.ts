import { resolve } from 'node:path';

/** Whether it names a place by scheme (`s3://bucket/…`), not by path. */
export const isUri = (text: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(text);

/** Where the artifacts lie, nearest first: `--store`, `HOURGLASS_HOME`, `.hourglass` in the current folder. URIs are kept as they are. */
export function resolveStoreLocation(from: {
  flag?: string;
  env?: Record<string, string | undefined>;
  cwd?: string;
}): string {
  const { flag, env = process.env, cwd = process.cwd() } = from;
  const location = flag || env['HOURGLASS_HOME'] || '.hourglass';
  return isUri(location) ? location : resolve(cwd, location);
}
