import { HourglassError } from '@hourglass/core';

/** @throws CALL_INVALID naming both lengths when arrays that belong together differ in length */
export function checkLengths(where: string, arrays: Record<string, ArrayLike<unknown> | undefined>): void {
  const given = Object.entries(arrays).filter(([, array]) => array !== undefined) as [string, ArrayLike<unknown>][];
  const length = given[0]?.[1].length ?? 0;
  for (const [name, array] of given)
    if (array.length !== length)
      throw new HourglassError(
        'CALL_INVALID',
        `${where}: \`${name}\` has ${array.length} values, \`${given[0]![0]}\` has ${length}; pass arrays of one length`,
      );
}
