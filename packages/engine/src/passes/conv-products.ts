import { rewriteGraph, type Builder } from '../ir/builder.ts';
import type { Graph, NodeOf, Value, WindowAttrs } from '../ir/graph.ts';
import { turnedPads } from '../ir/turned-pads.ts';

/** Channels with which a convolution is mostly copying: images have so few at the end of a net. */
export const FEW = 8;

/** A convolution of `[n, h, w, c]` with filters `[fh, fw, c, k]` to `[n, oh, ow, k]`. */
interface Shapes {
  image: readonly number[];
  out: readonly number[];
  filter: readonly number[];
}

/**
 * Writes convolutions of many channels to few, and their gradients, as products of matrices: native kernels work through
 * blocks of channels and are idle for the most part when only three come out.
 */
export const convProducts = (graph: Graph): Graph =>
  rewriteGraph(graph, (build, node, now) => {
    if (node.op === 'Conv2D') return forward(build, node, node.inputs.map(now));
    if (node.op === 'Conv2DInputGrad') return inputGrad(build, node, node.inputs.map(now));
    if (node.op === 'Conv2DFilterGrad') return filterGrad(build, node, node.inputs.map(now));
    return undefined;
  });

function applies({ strides }: WindowAttrs, [, , c, k]: readonly number[]): boolean {
  return strides[0] === 1 && strides[1] === 1 && k! <= FEW && 4 * k! <= c!;
}

const reshape = (build: Builder, x: Value, shape: number[]): Value => build.add('Reshape', [x], {}, shape);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Every tap's share of every cell at once, then moved to its place and added up. */
function forward(build: Builder, { attrs: a, output }: NodeOf<'Conv2D'>, [x, filter]: Value[]): Value | undefined {
  if (!applies(a, filter!.shape)) return undefined;
  const [fh, fw, c, k] = filter!.shape as [number, number, number, number];
  const [n, h, w] = x!.shape as [number, number, number];
  const [, oh, ow] = output.shape as [number, number, number];
  const taps = fh * fw;
  const turned = build.add('Transpose', [reshape(build, filter!, [taps, c, k])], { perm: [1, 0, 2] }, [c, taps, k]);
  const matrices = [reshape(build, x!, [n * h * w, c]), reshape(build, turned, [c, taps * k])];
  const plain = { transposeA: false, transposeB: false };
  const shares = reshape(build, build.add('MatMul', matrices, plain, [n * h * w, taps * k]), [n, h, w, taps * k]);
  const moved = upTo(taps).map((tap) => {
    const [fromY, rows, padY] = overlap(h, oh, Math.floor(tap / fw) * a.dilations[0] - a.pads[0]);
    const [fromX, columns, padX] = overlap(w, ow, (tap % fw) * a.dilations[1] - a.pads[2]);
    const size = [n, rows, columns, k];
    const part = build.add('Slice', [shares], { begin: [0, fromY, fromX, tap * k], size }, size);
    const paddings: [number, number][] = [[0, 0], padY, padX, [0, 0]];
    if (paddings.flat().every((p) => p === 0)) return part;
    return build.add('Pad', [part], { paddings, value: 0 }, output.shape);
  });
  return moved.reduce((sum, next) => build.add('Add', [sum, next], {}, output.shape));
}

/** Of `size` cells those that meet `count` others when moved by `shift`, and how many of these meet none. */
function overlap(size: number, count: number, shift: number): [from: number, length: number, pad: [number, number]] {
  const from = Math.max(0, shift);
  const to = Math.max(from, Math.min(size, count + shift));
  const before = Math.min(count, from - shift);
  return [from, to - from, [before, count - before - (to - from)]];
}

/** Where the output of each tap lies over the image, side by side: `[n·h·w, fh·fw·k]`. */
function outputTaps(build: Builder, dy: Value, a: WindowAttrs, { image, out, filter }: Shapes): Value | undefined {
  const [n, h, w] = image as [number, number, number];
  const [, oh, ow, k] = out as [number, number, number, number];
  const [fh, fw] = filter as [number, number];
  const { reach, pads } = turnedPads(a, filter);
  const [top, bottom, left, right] = pads;
  if (Math.min(top, bottom, left, right) < 0) return undefined;
  const paddings: [number, number][] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const shape = [n, oh + top + bottom, ow + left + right, k];
  const padded = build.add('Pad', [dy], { paddings, value: 0 }, shape);
  const size = [n, h, w, k];
  const parts = upTo(fh * fw).map((tap) => {
    const begin = [0, reach[0] - Math.floor(tap / fw) * a.dilations[0], reach[1] - (tap % fw) * a.dilations[1], 0];
    return build.add('Slice', [padded], { begin, size }, size);
  });
  const width = fh * fw * k;
  const beside = parts.length === 1 ? parts[0]! : build.add('Concat', parts, { axis: 3 }, [n, h, w, width]);
  return reshape(build, beside, [n * h * w, width]);
}

function inputGrad(build: Builder, node: NodeOf<'Conv2DInputGrad'>, [dy, filter]: Value[]): Value | undefined {
  const shapes = { image: node.output.shape, out: dy!.shape, filter: filter!.shape };
  const taps = applies(node.attrs, shapes.filter) ? outputTaps(build, dy!, node.attrs, shapes) : undefined;
  if (!taps) return undefined;
  const [fh, fw, c, k] = shapes.filter as [number, number, number, number];
  const turned = build.add('Transpose', [filter!], { perm: [0, 1, 3, 2] }, [fh, fw, k, c]);
  const plain = { transposeA: false, transposeB: false };
  const matrices = [taps, reshape(build, turned, [fh * fw * k, c])];
  return reshape(build, build.add('MatMul', matrices, plain, [taps.shape[0]!, c]), [...shapes.image]);
}

function filterGrad(build: Builder, node: NodeOf<'Conv2DFilterGrad'>, [x, dy]: Value[]): Value | undefined {
  const shapes = { image: x!.shape, out: dy!.shape, filter: node.output.shape };
  const taps = applies(node.attrs, shapes.filter) ? outputTaps(build, dy!, node.attrs, shapes) : undefined;
  if (!taps) return undefined;
  const [fh, fw, c, k] = shapes.filter as [number, number, number, number];
  const turned = { transposeA: true, transposeB: false };
  const matrices = [taps, reshape(build, x!, [taps.shape[0]!, c])];
  const all = reshape(build, build.add('MatMul', matrices, turned, [fh * fw * k, c]), [fh, fw, k, c]);
  return build.add('Transpose', [all], { perm: [0, 1, 3, 2] }, shapes.filter);
}
