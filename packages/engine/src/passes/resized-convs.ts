import { consumers, reachable, rewriteGraph, type Builder } from '../ir/builder.ts';
import type { Graph, Node, NodeOf, OpAttrs, Value, WindowAttrs } from '../ir/graph.ts';
import { turnedPads } from '../ir/turned-pads.ts';
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
  const parted = partedGradients(graph);
  return rewriteGraph(graph, (build, node, now) => {
    if (node.op === 'Conv2D') return forward(build, node, now);
    if (node.op === 'Conv2DFilterGrad') return filterGrad(build, node, now);
    if (node.op === 'Slice') return partGrad(build, node, now, parted);
    if (node.op === 'ResizeNearestGrad') return smallGrad(build, node, now);
    return undefined;
  });
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

/** The parts of an image that lie side by side as channels, where at least one of them repeats cells. */
function partsWithRepeated(image: Value) {
  const { op, attrs, inputs } = image.node;
  const parts = op === 'Concat' && attrs.axis === 3 ? inputs : [image];
  if (!parts.some(repeated)) return undefined;
  let end = 0;
  return parts.map((part) => {
    const channels = part.shape[3]!;
    const first = end;
    end += channels;
    return { part, first, channels, repeats: repeated(part) };
  });
}

function forward(build: Builder, { attrs, inputs, output }: NodeOf<'Conv2D'>, now: (value: Value) => Value) {
  const [image, filter] = inputs as [Value, Value];
  const parts = applies(attrs, filter.shape) ? partsWithRepeated(image) : undefined;
  return parts
    ?.map(({ part, first, channels, repeats }) => {
      const taps = channelsOf(build, now(filter), first, channels);
      if (!repeats) return build.add('Conv2D', [now(part), taps], attrs, output.shape);
      const wide = enlarged(build, taps, repeats.factors);
      return build.add(
        'Conv2DInputGrad',
        [now(repeats.small), wide],
        turned(attrs, taps, repeats.factors),
        output.shape,
      );
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
  if (!parts) return undefined;
  const [fh, fw, , k] = output.shape as [number, number, number, number];
  const gradients = parts.map(({ part, channels, repeats }) => {
    const shape = [fh, fw, channels, k];
    if (!repeats) return build.add('Conv2DFilterGrad', [now(part), now(dy)], attrs, shape);
    const [y, x] = repeats.factors;
    const wide = build.add(
      'Conv2DFilterGrad',
      [now(dy), now(repeats.small)],
      turned(attrs, { shape }, repeats.factors),
      [fh + y - 1, fw + x - 1, k, channels],
    );
    return reduced(build, wide, repeats.factors);
  });
  return gradients.length === 1 ? gradients[0] : build.add('Concat', gradients, { axis: 2 }, output.shape);
}

/** Gradients of images all of whose uses are parts of their channels, one of which goes back to a small image. */
function partedGradients({ nodes, outputs }: Graph): Set<Value> {
  const needed = reachable(nodes, Object.values(outputs));
  const uses = consumers(needed);
  const given = new Set(Object.values(outputs));
  const goesBack = (part: Node): boolean => (uses.get(part.output) ?? []).some(({ op }) => op === 'ResizeNearestGrad');
  const found = new Set<Value>();
  for (const { op, attrs, inputs, output } of needed) {
    if (op !== 'Conv2DInputGrad' || given.has(output) || !applies(attrs, inputs[1]!.shape)) continue;
    const users = uses.get(output) ?? [];
    if (users.every(isChannelSlice) && users.some(goesBack)) found.add(output);
  }
  return found;
}

/** Whether it leaves out channels of an image and nothing else. */
const isChannelSlice = ({ op, inputs, output: { shape } }: Node): boolean =>
  op === 'Slice' && shape.every((size, i) => i === 3 || size === inputs[0]!.shape[i]);

/** Of the gradient of images beside each other that of one of them, computed apart. */
function partGrad(
  build: Builder,
  { attrs, inputs: [whole], output: { shape } }: NodeOf<'Slice'>,
  now: (value: Value) => Value,
  parted: Set<Value>,
): Value | undefined {
  if (!parted.has(whole!)) return undefined;
  const { inputs, attrs: window } = whole!.node as NodeOf<'Conv2DInputGrad'>;
  const [dy, filter] = inputs.map(now) as [Value, Value];
  return build.add('Conv2DInputGrad', [dy, channelsOf(build, filter, attrs.begin[3]!, shape[3]!)], window, shape);
}

/** The gradient of the small image, where that of the large one is of a convolution. */
function smallGrad(
  build: Builder,
  { attrs, inputs: [large], output }: NodeOf<'ResizeNearestGrad'>,
  now: (value: Value) => Value,
): Value | undefined {
  const factors = factorsOf(output, large!, attrs);
  // Of images beside each other the large one has a gradient of its own by now.
  const gradient = now(large!).node;
  if (!factors || gradient.op !== 'Conv2DInputGrad' || !applies(gradient.attrs, gradient.inputs[1]!.shape))
    return undefined;
  const [dy, taps] = gradient.inputs as [Value, Value];
  return build.add('Conv2D', [dy, enlarged(build, taps, factors)], turned(gradient.attrs, taps, factors), output.shape);
}

/** Of a filter `[fh, fw, c, k]` the part for some of the channels it reads. */
function channelsOf(build: Builder, filter: Value, first: number, channels: number): Value {
  const [fh, fw, c, k] = filter.shape as [number, number, number, number];
  if (channels === c) return filter;
  const size = [fh, fw, channels, k];
  return build.add('Slice', [filter], { begin: [0, 0, first, 0], size }, size);
}

/** The window of the transposed convolution of the small image: it moves by as many cells as one became. */
const turned = (window: WindowAttrs, { shape }: Pick<Value, 'shape'>, factors: [number, number]): WindowAttrs => ({
  strides: factors,
  dilations: [1, 1],
  pads: turnedPads(window, shape).pads,
});

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
