import type { WindowAttrs } from '../ir/graph.ts';

/** How a convolution of an image enlarged by `factor` falls apart into one of the small image for each position in a block. */
export interface PhaseGeometry {
  factor: number;
  /** Size of the small filters. */
  rows: number;
  columns: number;
  /** Taps of the filter, fh · fw. */
  taps: number;
  /** Which taps add up in each cell of each small filter, ones and zeros: `[factor² · rows · columns, taps]`. */
  sums: Float32Array;
  /** Geometry of the convolution of each position, row by row. */
  windows: WindowAttrs[];
}

/** One axis: what cells of the small image the taps of each position fall on. */
interface Axis {
  /** Of each position: the first cell seen, relative to its own. */
  first: number[];
  /** Of each position and tap: the cell, counted from the first. */
  cells: number[][];
  /** Cells of a small filter. */
  length: number;
}

function axis(factor: number, taps: number, before: number): Axis {
  const positions = Array.from({ length: factor }, (_, a) => a);
  const seen = positions.map((a) => Array.from({ length: taps }, (_, t) => Math.floor((a + t - before) / factor)));
  const first = seen.map((cells) => cells[0]!);
  return {
    first,
    cells: seen.map((cells, a) => cells.map((cell) => cell - first[a]!)),
    length: Math.max(...seen.map((cells) => cells.at(-1)! - cells[0]! + 1)),
  };
}

/**
 * @param small `[n, h, w, c]` @param large the same enlarged to the nearest cell @param filter `[fh, fw, c, k]`
 * @returns undefined where sizes do not divide, the output has another size than the image, or the filters stay as large
 */
export function phaseGeometry(
  small: readonly number[],
  large: readonly number[],
  [fh, fw]: readonly number[],
  { strides, dilations, pads: [top, bottom, left, right] }: WindowAttrs,
): PhaseGeometry | undefined {
  const factor = large[1]! / small[1]!;
  if (!Number.isInteger(factor) || factor < 2 || large[2] !== small[2]! * factor) return undefined;
  if ([...strides, ...dilations].some((d) => d !== 1)) return undefined;
  if (top + bottom !== fh! - 1 || left + right !== fw! - 1) return undefined;
  const [vertical, horizontal] = [axis(factor, fh!, top), axis(factor, fw!, left)];
  const [rows, columns] = [vertical.length, horizontal.length];
  if (2 * rows * columns > fh! * fw!) return undefined;
  const taps = fh! * fw!;
  const sums = new Float32Array(factor * factor * rows * columns * taps);
  const windows: WindowAttrs[] = [];
  for (let a = 0; a < factor; a++)
    for (let b = 0; b < factor; b++) {
      const position = windows.length * rows * columns;
      for (let s = 0; s < fh!; s++)
        for (let t = 0; t < fw!; t++) {
          const cell = vertical.cells[a]![s]! * columns + horizontal.cells[b]![t]!;
          sums[(position + cell) * taps + s * fw! + t] = 1;
        }
      const [up, aside] = [-vertical.first[a]!, -horizontal.first[b]!];
      const pads: WindowAttrs['pads'] = [up, rows - 1 - up, aside, columns - 1 - aside];
      if (pads.some((pad) => pad < 0)) return undefined;
      windows.push({ strides: [1, 1], dilations: [1, 1], pads });
    }
  return { factor, rows, columns, taps, sums, windows };
}
