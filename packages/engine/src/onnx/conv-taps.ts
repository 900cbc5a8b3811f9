import type { WindowAttrs } from '../ir/graph.ts';
import { turnedPads } from '../ir/turned-pads.ts';
import type { OnnxWriter } from './writer.ts';

/** Shapes of a convolution of `[n, h, w, c]` with filters `[fh, fw, c, k]` to `[n, oh, ow, k]`. */
export interface ConvShapes {
  image: readonly number[];
  out: readonly number[];
  filter: readonly number[];
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Padding of an image `[n, h, w, c]` with zeros: top, bottom, left, right; negative ones cut. */
export const pad = (w: OnnxWriter, x: string, [top, bottom, left, right]: readonly number[]): string =>
  [top, bottom, left, right].every((p) => p === 0)
    ? x
    : w.node('Pad', [x, w.ints([0, top!, left!, 0, 0, bottom!, right!, 0])], { mode: 'constant' });

/** Cells start, start + stride, …, `count` of them, along an axis of `size`. */
export function cells(
  w: OnnxWriter,
  x: string,
  axis: 1 | 2,
  start: number,
  count: number,
  size: number,
  stride = 1,
): string {
  if (start === 0 && stride === 1 && count === size) return x;
  const numbers = [[start], [start + stride * (count - 1) + 1], [axis], [stride]];
  return w.node('Slice', [x, ...numbers.map((one) => w.ints(one))]);
}

export const sideBySide = (w: OnnxWriter, parts: string[]): string =>
  parts.length === 1 ? parts[0]! : w.node('Concat', parts, { axis: 3 });

/** Rows of `width` numbers. */
export const matrix = (w: OnnxWriter, x: string, width: number): string => w.node('Reshape', [x, w.ints([-1, width])]);

export const isUnit = (a: WindowAttrs): boolean => a.strides[0] === 1 && a.strides[1] === 1;

/** What every tap (i, j) of a filter sees of an image, side by side: `[n·oh·ow, fh·fw·c]`. */
export function imageTaps(w: OnnxWriter, x: string, a: WindowAttrs, { image, out, filter }: ConvShapes): string {
  const [, h, width, c] = image as [number, number, number, number];
  const [, oh, ow] = out as [number, number, number];
  const [fh, fw] = filter as [number, number];
  const [top, bottom, left, right] = a.pads;
  const padded = pad(w, x, a.pads);
  const columns = upTo(fw).map((j) => cells(w, padded, 2, j * a.dilations[1], ow, width + left + right, a.strides[1]));
  const taps = upTo(fh).flatMap((i) =>
    columns.map((one) => cells(w, one, 1, i * a.dilations[0], oh, h + top + bottom, a.strides[0])),
  );
  return matrix(w, sideBySide(w, taps), fh * fw * c);
}

/** Where the output of each tap (i, j) lies over the image, side by side, stride 1: `[n·h·w, fh·fw·k]`. */
export function outputTaps(w: OnnxWriter, dy: string, a: WindowAttrs, { image, out, filter }: ConvShapes): string {
  const [, h, width] = image as [number, number, number];
  const [, oh, ow, k] = out as [number, number, number, number];
  const [fh, fw] = filter as [number, number];
  const { reach, pads } = turnedPads(a, filter);
  const padded = pad(w, dy, pads);
  const columns = upTo(fw).map((j) =>
    cells(w, padded, 2, reach[1] - j * a.dilations[1], width, ow + pads[2] + pads[3]),
  );
  const taps = upTo(fh).flatMap((i) =>
    columns.map((one) => cells(w, one, 1, reach[0] - i * a.dilations[0], h, oh + pads[0] + pads[1])),
  );
  return matrix(w, sideBySide(w, taps), fh * fw * k);
}
