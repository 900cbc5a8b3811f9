import { consumers, graphBuilder, reachable, type Builder } from '../ir/builder.ts';
import type { Graph, Node, NodeOf, OpAttrs, OpName, Value, WindowAttrs } from '../ir/graph.ts';
import { FEW } from './conv-products.ts';

/** A small image and how many cells of the large one each of its cells becomes. */
interface Repeated {
  small: Value;
  factors: [number, number];
}

/**
 * Writes convolutions of images that were enlarged by repeating cells as transposed convolutions of the small images, and
 * their gradients likewise: a filter of 3 × 3 over cells repeated twice each way meets the same cell up to four times, and one of
 * 4 × 4 that has these added up beforehand needs 16 products for every four cells instead of 36. Images beside an enlarged one
 * (`concat`, as skips of U-Nets are) are convolved apart and added. Source: the sub-pixel convolutions of Shi et al. 2016, the
 * other way round.
 */
export function resizedConvs(graph: Graph): Graph {
  const nodes = reachable(graph.nodes, Object.values(graph.outputs));
  const parted = partedGradients(nodes, new Set(Object.values(graph.outputs)));
  const build = graphBuilder();
  const made = new Map<Value, Value>();
  const now = (value: Value): Value => made.get(value)!;
  for (const node of nodes) {
    const { shape, dtype } = node.output;
    let value: Value | undefined;
    if (node.op === 'Conv2D') value = forward(build, node, now);
    else if (node.op === 'Conv2DFilterGrad') value = filterGrad(build, node, now);
    else if (node.op === 'ResizeNearestGrad' || node.op === 'Slice') value = inputGrad(build, node, now, parted);
    value ??= build.add(node.op, node.inputs.map(now), node.attrs as OpAttrs[OpName], shape, dtype);
    made.set(node.output, value);
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, now(v)]));
  return { nodes: reachable(build.nodes, Object.values(outputs)), outputs };
}

/** Whether fewer products are needed for it: not by filters of one cell, and convolutions to few channels are products. */
function applies({ strides, dilations, pads }: WindowAttrs, [fh, fw, , k]: readonly number[]): boolean {
  const plain = [...strides, ...dilations].every((d) => d === 1) && k! > FEW;
  const [top, bottom, left, right] = pads;
  return plain && fh! > 1 && fw! > 1 && Math.max(top, bottom) < fh! && Math.max(left, right) < fw!;
}

/** The image a value repeats cells of, as `resize` from `[h, w]` to multiples of them does. */
function repeated({ node }: Value): Repeated | undefined {
  if (node.op !== 'ResizeNearest') return undefined;
  const factors = factorsOf(node.inputs[0]!, node.output, node.attrs);
  return factors && { small: node.inputs[0]!, factors };
}

function factorsOf(small: Value, large: Value, { alignCorners }: OpAttrs['ResizeNearest']) {
  const [y, x] = [large.shape[1]! / small.shape[1]!, large.shape[2]! / small.shape[2]!];
  if (alignCorners || !Number.isInteger(y) || !Number.isInteger(x) || y * x === 1) return undefined;
  return [y, x] as [number, number];
}

/** What lies side by side as channels of an image. */
const partsOf = (image: Value): readonly Value[] =>
  image.node.op === 'Concat' && image.node.attrs.axis === 3 ? image.node.inputs : [image];

/** First channel of each part. */
const firstOf = (parts: readonly Value[]): number[] =>
  parts.map((_, i) => parts.slice(0, i).reduce((sum, { shape }) => sum + shape[3]!, 0));

/** The parts of an image, where at least one of them repeats cells. */
function partsWithRepeated(image: Value) {
  const parts = partsOf(image);
  if (!parts.some(repeated)) return undefined;
  const first = firstOf(parts);
  return parts.map((part, i) => ({ part, first: first[i]!, channels: part.shape[3]!, repeats: repeated(part) }));
}

function forward(build: Builder, { attrs, inputs, output }: NodeOf<'Conv2D'>, now: (value: Value) => Value) {
  const [image, filter] = inputs as [Value, Value];
  const parts = applies(attrs, filter.shape) ? partsWithRepeated(image) : undefined;
  return parts
    ?.map(({ part, first, channels, repeats }) => {
      const taps = channelsOf(build, now(filter), first, channels);
      if (!repeats) return build.add('Conv2D', [now(part), taps], attrs, output.shape);
      const wide = enlarged(build, taps, repeats.factors);
      return build.add('Conv2DInputGrad', [now(repeats.small), wide], turned(attrs, taps, repeats), output.shape);
    })
    .reduce((sum, next) => build.add('Add', [sum, next], {}, output.shape));
}

function filterGrad(
  build: Builder,
  { attrs, inputs, output }: NodeOf<'Conv2DFilterGrad'>,
  now: (value: Value) => Value,
) {
  const [image, dy] = inputs as [Value, Value];
  const parts = applies(attrs, output.shape) ? partsWithRepeated(image) : undefined;
  const [fh, fw, , k] = output.shape as [number, number, number, number];
  const gradients = parts?.map(({ part, channels, repeats }) => {
    const shape = [fh, fw, channels, k];
    if (!repeats) return build.add('Conv2DFilterGrad', [now(part), now(dy)], attrs, shape);
    const [y, x] = repeats.factors;
    const wide = build.add('Conv2DFilterGrad', [now(dy), now(repeats.small)], turned(attrs, { shape }, repeats), [
      fh + y - 1,
      fw + x - 1,
      k,
      channels,
    ]);
    return reduced(build, wide, repeats.factors);
  });
  return gradients && beside(build, gradients, output.shape);
}

const beside = (build: Builder, parts: Value[], shape: readonly number[]): Value =>
  parts.length === 1 ? parts[0]! : build.add('Concat', parts, { axis: 2 }, shape);

/** Gradients of images all of whose uses are parts of their channels, one of which goes back to a small image. */
function partedGradients(nodes: readonly Node[], outputs: Set<Value>): Set<Value> {
  const uses = consumers(nodes);
  const found = new Set<Value>();
  for (const node of nodes) {
    if (node.op !== 'Conv2DInputGrad' || outputs.has(node.output)) continue;
    const users = uses.get(node.output) ?? [];
    const parts = users.filter((user) => user.op === 'Slice' && channelSlice(user));
    const back = [...users, ...parts.flatMap((part) => uses.get(part.output) ?? [])].some(
      (user) => user.op === 'ResizeNearestGrad',
    );
    if (back && parts.length === users.length) found.add(node.output);
  }
  return found;
}

/** Whether a slice leaves out channels only. */
const channelSlice = ({ attrs, inputs }: NodeOf<'Slice'>): boolean =>
  inputs[0]!.shape.length === 4 && attrs.size.every((s, i) => i === 3 || s === inputs[0]!.shape[i]);

function inputGrad(
  build: Builder,
  node: NodeOf<'ResizeNearestGrad'> | NodeOf<'Slice'>,
  now: (value: Value) => Value,
  parted: Set<Value>,
): Value | undefined {
  const { shape } = node.output;
  if (node.op === 'Slice') {
    const from = node.inputs[0]!;
    if (!parted.has(from) || from.node.op !== 'Conv2DInputGrad') return undefined;
    const [dy, filter] = from.node.inputs as [Value, Value];
    if (!applies(from.node.attrs, filter.shape)) return undefined;
    const taps = channelsOf(build, now(filter), node.attrs.begin[3]!, shape[3]!);
    return build.add('Conv2DInputGrad', [now(dy), taps], from.node.attrs, shape);
  }
  const large = node.inputs[0]!;
  const factors = factorsOf(node.output, large, node.attrs);
  // Where only some channels were enlarged, these have become a gradient of their own.
  const { node: gradient } = now(large);
  if (!factors || gradient.op !== 'Conv2DInputGrad' || !applies(gradient.attrs, gradient.inputs[1]!.shape))
    return undefined;
  const [dy, taps] = gradient.inputs as [Value, Value];
  const wide = enlarged(build, taps, factors);
  return build.add('Conv2D', [dy, wide], turned(gradient.attrs, taps, { factors }), shape);
}

/** Of a filter `[fh, fw, c, k]` the part for some of the channels it reads. */
function channelsOf(build: Builder, filter: Value, first: number, channels: number): Value {
  const [fh, fw, c, k] = filter.shape as [number, number, number, number];
  if (channels === c) return filter;
  const size = [fh, fw, channels, k];
  return build.add('Slice', [filter], { begin: [0, 0, first, 0], size }, size);
}

/** The window of the transposed convolution of the small image: it moves by as many cells as one became. */
function turned(
  { pads }: WindowAttrs,
  { shape: [fh, fw] }: Pick<Value, 'shape'>,
  { factors }: Pick<Repeated, 'factors'>,
): WindowAttrs {
  const [top, bottom, left, right] = pads;
  return {
    strides: factors,
    dilations: [1, 1],
    pads: [fh! - 1 - top, fh! - 1 - bottom, fw! - 1 - left, fw! - 1 - right],
  };
}

/** Filter `[fh, fw, c, k]` turned round, taps that meet the same small cell added up: `[fh + y − 1, fw + x − 1, k, c]`. */
function enlarged(build: Builder, filter: Value, factors: [number, number]): Value {
  const [fh, fw, c, k] = filter.shape as [number, number, number, number];
  const round = build.add('Reverse', [filter], { axes: [0, 1] }, filter.shape);
  let wide = build.add('Transpose', [round], { perm: [0, 1, 3, 2] }, [fh, fw, k, c]);
  for (const axis of [0, 1] as const) {
    const factor = factors[axis];
    const shape = wide.shape.map((d, i) => (i === axis ? d + factor - 1 : d));
    const moved = Array.from({ length: factor }, (_, by) => {
      const paddings = shape.map((__, i): [number, number] => (i === axis ? [by, factor - 1 - by] : [0, 0]));
      return build.add('Pad', [wide], { paddings, value: 0 }, shape);
    });
    wide = moved.reduce((sum, next) => build.add('Add', [sum, next], {}, shape));
  }
  return wide;
}

/** The transpose of {@link enlarged}: `[fh + y − 1, fw + x − 1, k, c]` → `[fh, fw, c, k]`. */
function reduced(build: Builder, wide: Value, factors: [number, number]): Value {
  let sums = wide;
  for (const axis of [0, 1] as const) {
    const factor = factors[axis];
    const size = sums.shape.map((d, i) => (i === axis ? d - factor + 1 : d));
    const from = sums;
    sums = Array.from({ length: factor }, (_, by) => {
      const begin = size.map((__, i) => (i === axis ? by : 0));
      return build.add('Slice', [from], { begin, size }, size);
    }).reduce((sum, next) => build.add('Add', [sum, next], {}, size));
  }
  const [fh, fw, k, c] = sums.shape as [number, number, number, number];
  const back = build.add('Transpose', [sums], { perm: [0, 1, 3, 2] }, [fh, fw, c, k]);
  return build.add('Reverse', [back], { axes: [0, 1] }, [fh, fw, c, k]);
}
