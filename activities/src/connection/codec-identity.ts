import { hostname } from 'node:os';
import { codecKeys } from './payload-codec.ts';

type Env = Record<string, string | undefined>;

const MARK = / codec=(\S+)$/;
const PLAIN = 'none';

/** Ids of the keys a process has, the one it encrypts with first. */
function keyIds(env: Env): string[] {
  const text = env['HOURGLASS_CODEC_KEY'];
  return text ? codecKeys(text).map(({ id }) => id) : [];
}

/** What a worker is called on the server: Temporal's own PID@HOST, and which keys it has, so that `submit` can compare. */
export function workerIdentity(env: Env): string {
  return `${process.pid}@${hostname()} codec=${keyIds(env).join(',') || PLAIN}`;
}

/**
 * Why a worker and a process here could not read each other, for people; nothing where they can, or where the worker says
 * nothing of its keys.
 */
export function codecMismatch(identity: string, env: Env): string | undefined {
  const said = MARK.exec(identity)?.[1];
  if (said === undefined) return undefined;
  const [theirs, ours] = [said === PLAIN ? [] : said.split(','), keyIds(env)];
  if (ours.length === 0 && theirs.length === 0) return undefined;
  if (ours.length === 0) return `the worker encrypts with the key ${theirs[0]}, HOURGLASS_CODEC_KEY is not set here`;
  if (theirs.length === 0) return `the worker has no HOURGLASS_CODEC_KEY, here it is set (key ${ours[0]})`;
  if (theirs.includes(ours[0]!) && ours.includes(theirs[0]!)) return undefined;
  return `the worker's HOURGLASS_CODEC_KEY holds ${theirs.join(', ')}, the one here ${ours.join(', ')}, and each must hold the first of the other`;
}
