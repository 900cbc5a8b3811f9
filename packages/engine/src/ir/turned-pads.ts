import type { WindowAttrs } from './graph.ts';

/**
 * Padding under which the outputs of a convolution, convolved by its filter turned round, lie over the image again.
 * @returns `reach`: how far a filter `[fh, fw, …]` reaches from its first tap; `pads` as of windows, negative ones cut
 */
export function turnedPads(
  { pads, dilations }: Pick<WindowAttrs, 'pads' | 'dilations'>,
  [fh, fw]: readonly number[],
): { reach: [number, number]; pads: WindowAttrs['pads'] } {
  const reach: [number, number] = [(fh! - 1) * dilations[0], (fw! - 1) * dilations[1]];
  return { reach, pads: pads.map((pad, side) => reach[side < 2 ? 0 : 1]! - pad) as WindowAttrs['pads'] };
}
