import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folder for what this user's programs share on this machine: `$XDG_CACHE_HOME/hourglass`, else `~/.cache/hourglass`. */
export function cacheFolder(env: Record<string, string | undefined> = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'hourglass');
}
