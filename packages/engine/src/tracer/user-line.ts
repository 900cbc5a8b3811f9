import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));

/**
 * File and line of the innermost frame of a stack that belongs to the author of a step: neither tfjs, nor Node, nor the
 * engine itself.
 */
export function userLine(stack: string | undefined): string | undefined {
  for (const frame of (stack ?? '').split('\n').slice(1)) {
    const [, place] = frame.match(/\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/) ?? [];
    if (!place || place.startsWith('node:')) continue;
    const path = place.startsWith('file://') ? place.slice(7) : place;
    if (/[\\/]node_modules[\\/]/.test(path)) continue;
    if (path.startsWith(HERE) && !path.includes('__tests__')) continue;
    return path;
  }
  return undefined;
}
