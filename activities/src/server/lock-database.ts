import { HourglassError } from '@hourglass/core';
import { folderLocks, lockFolder } from '@hourglass/runtime';

/**
 * Takes a server's database for this process: two servers on one file take each other's tasks.
 * @returns what gives it back
 * @throws CALL_INVALID while another process has it
 */
export async function lockDatabase(file: string): Promise<() => Promise<void>> {
  const folder = `${file}.lock`;
  const unlock = await lockFolder(folder);
  if (unlock !== undefined) return unlock;
  const { living } = await folderLocks(folder);
  const owners = living.map((name) => /^lock\.(\d+)/.exec(name)?.[1] ?? '?').join(', ');
  throw new HourglassError(
    'CALL_INVALID',
    `The database ${file} is served already, by \`hourglass dev\` with the process ${owners || 'that just ended'}. Use that server, stop it, or name another file: --db FILE. If it was one of another machine or container that is gone, remove ${folder}.`,
  );
}
