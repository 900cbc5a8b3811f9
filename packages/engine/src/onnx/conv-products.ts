import type { WindowAttrs } from '../ir/graph.ts';
import { cells, imageTaps, isUnit, matrix, outputTaps, pad, sideBySide, upTo, type ConvShapes } from './conv-taps.ts';
import type { OnnxWriter } from './writer.ts';

/** Channels with which a convolution is mostly copying: images have so few at the start of a net. */
const FEW = 8;

const product = (w: OnnxWriter, left: string, right: string): string => w.node('Gemm', [left, right], { transA: 1 });

/**
 * Gradient of a filter as a product of matrices: Σ x[n, y·s + i·d, x·s + j·d, :] dy[n, y, x, :]ᵀ for every tap (i, j).
 * What the taps see is laid side by side as channels: of the image, of dy, or columns of the one and rows of the other,
 * whichever copies least. onnxruntime is slower by half, and far more with few channels, when this is written as a
 * convolution of the image by dy.
 */
export function convFilterGrad(w: OnnxWriter, x: string, dy: string, a: WindowAttrs, shapes: ConvShapes): string {
  const [fh, fw, c, k] = shapes.filter as [number, number, number, number];
  if (isUnit(a) && 2 * k < c) {
    const all = product(w, outputTaps(w, dy, a, shapes), matrix(w, x, c));
    return w.node('Transpose', [w.node('Reshape', [all, w.ints([fh, fw, k, c])])], { perm: [0, 1, 3, 2] });
  }
  if (!isUnit(a) || 2 * c < k) {
    const all = product(w, imageTaps(w, x, a, shapes), matrix(w, dy, k));
    return w.node('Reshape', [all, w.ints([fh, fw, c, k])]);
  }
  const [, h, width] = shapes.image as [number, number, number];
  const [, oh, ow] = shapes.out as [number, number, number];
  const [top, bottom, left, right] = a.pads;
  const padded = pad(w, x, a.pads);
  const columns = upTo(fw).map((j) => cells(w, padded, 2, j * a.dilations[1], ow, width + left + right));
  const rows = upTo(fh).map((i) => {
    const before = i * a.dilations[0];
    return pad(w, dy, [before, h + top + bottom - oh - before, 0, 0]);
  });
  const all = product(w, matrix(w, sideBySide(w, columns), fw * c), matrix(w, sideBySide(w, rows), fh * k));
  return w.node('Transpose', [w.node('Reshape', [all, w.ints([fw, c, fh, k])])], { perm: [2, 0, 1, 3] });
}

/** A convolution as a product, where few channels come in; undefined where Conv is better. */
export function convProduct(
  w: OnnxWriter,
  x: string,
  filter: string,
  a: WindowAttrs,
  shapes: ConvShapes,
): string | undefined {
  const [, , c, k] = shapes.filter as [number, number, number, number];
  if (c > FEW || 2 * c >= k) return undefined;
  const y = w.node('MatMul', [imageTaps(w, x, a, shapes), matrix(w, filter, k)]);
  return w.node('Reshape', [y, w.reshapeTarget(shapes.out)]);
}
