import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { HourglassError } from '@hourglass/core';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a write failed for want of room. What native libraries throw says so in its message only, as the system words it. */
export function isDiskFull(error: unknown): boolean {
  const code = errnoOf(error);
  if (code !== undefined && FULL.has(code)) return true;
  const message = error instanceof Error ? error.message : String(error);
  return /\b(ENOSPC|EDQUOT|EFBIG)\b|no space left|disk full|(^|[:(] ?)file too large|disk quota exceeded/i.test(
    message,
  );
}

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A failed write as an error that names the place and the remedy. Errors of ours pass through. */
export function writeError(error: unknown, place: string, root: string): HourglassError {
  if (error instanceof HourglassError) return error;
  const code = errnoOf(error);
  if (isDiskFull(error)) {
    return new HourglassError(
      'DISK_FULL',
      `No room to write ${place}${roomOf(root)}. Nothing was left half-written. ` +
        'Free disk space, run `hourglass artifacts gc`, or choose another store with --store.',
      { details: { place, errno: code }, cause: error },
    );
  }
  return new HourglassError(
    'STORE_UNWRITABLE',
    `The artifact store ${root} cannot be written: ${reasonOf(code, error)} at ${place}. ` +
      'Check the permissions of the folder, or choose another store with --store or HOURGLASS_HOME.',
    { details: { place, errno: code }, cause: error },
  );
}

/** A failed read (other than "not there") as an error that names the place and the remedy. */
export function readError(error: unknown, place: string, root: string): HourglassError {
  if (error instanceof HourglassError) return error;
  return new HourglassError(
    'STORE_UNREADABLE',
    `The artifact store ${root} cannot be read: ${reasonOf(errnoOf(error), error)} at ${place}. ` +
      'Check the permissions and the disk, or choose another store with --store or HOURGLASS_HOME.',
    { details: { place, errno: errnoOf(error) }, cause: error },
  );
}

function reasonOf(code: string | undefined, error: unknown): string {
  switch (code) {
    case 'EROFS':
      return 'the filesystem is read-only';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where a folder is expected';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function roomOf(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, blocks, bsize } = statfsSync(folder);
      return ` (${megabytes(bavail * bsize)} of ${megabytes(blocks * bsize)} free)`;
    } catch {
      if (folder === dirname(folder)) return '';
    }
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
