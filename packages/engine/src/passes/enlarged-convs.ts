import { consumers, graphBuilder, reachable, type Builder } from '../ir/builder.ts';
import type { Graph, Node, NodeOf, OpAttrs, OpName, Value, WindowAttrs } from '../ir/graph.ts';
import { phaseGeometry, type PhaseGeometry } from './phase-geometry.ts';

/** A run of channels of an image. */
interface Part {
  /** The image, or the small one that was enlarged. */
  image: Value;
  /** First channel and how many. */
  from: number;
  channels: number;
  phases?: PhaseGeometry;
}

/**
 * Convolves small images in place of enlarged ones: after nearest enlargement by r, the taps of a filter that fall on the
 * same cell add up, so that each of the r² positions within a block has a smaller filter of its own (a sub-pixel
 * convolution, Shi et al. 2016). For 3×3 and r = 2 that is 16 products in place of 36, and the large image is never made. The
 * same for both gradients. An image of which only some channels were enlarged (skip connections) is taken apart.
 */
export function enlargedConvs(graph: Graph): Graph {
  const build = graphBuilder();
  const made = new Map<Value, Value>();
  const now = (value: Value): Value => made.get(value)!;
  const uses = consumers(graph.nodes);
  const tapSums = sharedTapSums(build);
  for (const node of graph.nodes) {
    let value: Value | undefined;
    if (node.op === 'Conv2D') value = forward(build, node, now, tapSums);
    else if (node.op === 'Conv2DFilterGrad') value = filterGrad(build, node, now, tapSums);
    else if (node.op === 'ResizeNearestGrad') value = inputGrad(build, node, now, uses, tapSums);
    else if (node.op === 'Slice') value = otherChannels(build, node, now, uses);
    value ??= build.add(
      node.op,
      node.inputs.map(now),
      node.attrs as OpAttrs[OpName],
      node.output.shape,
      node.output.dtype,
    );
    made.set(node.output, value);
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, now(v)]));
  return { nodes: reachable(build.nodes, Object.values(outputs)), outputs };
}

const PLAIN = { transposeA: false, transposeB: false };

const reshape = (build: Builder, x: Value, shape: number[]): Value => build.add('Reshape', [x], {}, shape);

const add = (build: Builder, parts: Value[]): Value =>
  parts.reduce((sum, next) => build.add('Add', [sum, next], {}, sum.shape));

/** Channels `from … from + count` along an axis. */
function channels(build: Builder, x: Value, axis: number, from: number, count: number): Value {
  if (count === x.shape[axis]) return x;
  const begin = x.shape.map((_, i) => (i === axis ? from : 0));
  const size = x.shape.map((d, i) => (i === axis ? count : d));
  return build.add('Slice', [x], { begin, size }, size);
}

/** The parts of a convolved image, where at least one was enlarged; undefined where none was. */
function partsOf(x: Value, filter: readonly number[], a: WindowAttrs): Part[] | undefined {
  const images = x.node.op === 'Concat' && x.node.attrs.axis === 3 ? x.node.inputs : [x];
  let from = 0;
  const parts = images.map((image): Part => {
    const part: Part = { image, from, channels: image.shape[3]! };
    from += part.channels;
    const phases = image.node.op === 'ResizeNearest' && enlargement(image.node, filter, a);
    return phases ? { ...part, image: image.node.inputs[0]!, phases } : part;
  });
  return parts.some(({ phases }) => phases) ? parts : undefined;
}

/** The geometry of a convolution after an enlargement by a whole number; undefined where nothing is gained. */
function enlargement(
  { attrs, inputs, output }: NodeOf<'ResizeNearest'>,
  filter: readonly number[],
  window: WindowAttrs,
): PhaseGeometry | undefined {
  if (attrs.alignCorners) return undefined;
  return phaseGeometry(inputs[0]!.shape, output.shape, filter, window);
}

function forward(
  build: Builder,
  node: NodeOf<'Conv2D'>,
  now: (value: Value) => Value,
  tapSums: TapSums,
): Value | undefined {
  const [x, filter] = node.inputs as [Value, Value];
  const parts = partsOf(x, filter.shape, node.attrs);
  if (!parts) return undefined;
  const shape = node.output.shape;
  return add(
    build,
    parts.map(({ image, from, channels: count, phases }) => {
      const taps = channels(build, now(filter), 2, from, count);
      if (!phases) return build.add('Conv2D', [now(image), taps], node.attrs, shape);
      const [n, h, w] = image.shape as [number, number, number];
      const small = phaseFilters(build, taps, phases, tapSums).map((one, i) =>
        build.add('Conv2D', [now(image), one], phases.windows[i]!, [n, h, w, shape[3]!]),
      );
      return woven(build, small, phases.factor);
    }),
  );
}

function filterGrad(
  build: Builder,
  node: NodeOf<'Conv2DFilterGrad'>,
  now: (value: Value) => Value,
  tapSums: TapSums,
): Value | undefined {
  const [x, dy] = node.inputs as [Value, Value];
  const [fh, fw, c, k] = node.output.shape as [number, number, number, number];
  const parts = partsOf(x, node.output.shape, node.attrs);
  if (!parts) return undefined;
  const grads = parts.map(({ image, channels: count, phases }) => {
    if (!phases) return build.add('Conv2DFilterGrad', [now(image), now(dy)], node.attrs, [fh, fw, count, k]);
    const { rows, columns } = phases;
    const small = unwoven(build, now(dy), phases.factor).map((one, i) =>
      reshape(build, build.add('Conv2DFilterGrad', [now(image), one], phases.windows[i]!, [rows, columns, count, k]), [
        rows * columns,
        count * k,
      ]),
    );
    const all = build.add('Concat', small, { axis: 0 }, [small.length * rows * columns, count * k]);
    const spread = { transposeA: true, transposeB: false };
    const whole = build.add('MatMul', [tapSums(phases), all], spread, [fh * fw, count * k]);
    return reshape(build, whole, [fh, fw, count, k]);
  });
  return grads.length === 1 ? grads[0]! : build.add('Concat', grads, { axis: 2 }, [fh, fw, c, k]);
}

/** The convolution's gradient behind a value that is all of it or some channels, and where these begin. */
function convGradient(value: Value): { node: NodeOf<'Conv2DInputGrad'>; from: number } | undefined {
  if (value.node.op === 'Conv2DInputGrad') return { node: value.node, from: 0 };
  if (value.node.op !== 'Slice') return undefined;
  const [whole] = value.node.inputs as [Value];
  if (whole.node.op !== 'Conv2DInputGrad') return undefined;
  const { begin, size } = value.node.attrs;
  const onlyChannels = size.every((d, i) => i === 3 || d === whole.shape[i]);
  return onlyChannels ? { node: whole.node, from: begin[3]! } : undefined;
}

/** What an enlarging's gradient is taken from, where it can be had from the small image. */
function smallGradient(node: NodeOf<'ResizeNearestGrad'>, uses: Map<Value, Node[]>) {
  const [large] = node.inputs as [Value];
  const found = convGradient(large);
  if (!found || node.attrs.alignCorners || uses.get(large)!.length > 1) return undefined;
  const { node: conv, from } = found;
  // All that becomes of the whole gradient must be taken channel by channel, or it would be computed twice.
  if (large !== conv.output && !uses.get(conv.output)!.every((use) => convGradient(use.output))) return undefined;
  const phases = phaseGeometry(node.output.shape, large.shape, conv.inputs[1]!.shape, conv.attrs);
  return phases && { conv, from, phases };
}

function inputGrad(
  build: Builder,
  node: NodeOf<'ResizeNearestGrad'>,
  now: (value: Value) => Value,
  uses: Map<Value, Node[]>,
  tapSums: TapSums,
): Value | undefined {
  const found = smallGradient(node, uses);
  if (!found) return undefined;
  const { conv, from, phases } = found;
  const [dy, filter] = conv.inputs.map(now) as [Value, Value];
  const { shape } = node.output;
  const filters = phaseFilters(build, channels(build, filter, 2, from, shape[3]!), phases, tapSums);
  return add(
    build,
    unwoven(build, dy, phases.factor).map((one, i) =>
      build.add('Conv2DInputGrad', [one, filters[i]!], phases.windows[i]!, shape),
    ),
  );
}

/** Channels beside those that were enlarged have a gradient of their own. */
function otherChannels(
  build: Builder,
  node: NodeOf<'Slice'>,
  now: (value: Value) => Value,
  uses: Map<Value, Node[]>,
): Value | undefined {
  const found = convGradient(node.output);
  if (!found) return undefined;
  const apart = (uses.get(found.node.output) ?? []).some((slice) =>
    (uses.get(slice.output) ?? []).some((use) => use.op === 'ResizeNearestGrad' && smallGradient(use, uses)),
  );
  if (!apart) return undefined;
  const [dy, filter] = found.node.inputs.map(now) as [Value, Value];
  const taps = channels(build, filter, 2, found.from, node.output.shape[3]!);
  return build.add('Conv2DInputGrad', [dy, taps], found.node.attrs, node.output.shape);
}

/** Which taps add up in each cell of each position's filter: `[positions · rows · columns, fh · fw]`. */
type TapSums = (phases: PhaseGeometry) => Value;

/** One constant for all convolutions of a kind, so that what is computed from it is merged as well. */
function sharedTapSums(build: Builder): TapSums {
  const known = new Map<string, Value>();
  return ({ sums, taps }) => {
    const key = `${taps}:${sums.join()}`;
    const value = known.get(key) ?? build.add('Constant', [], { values: sums }, [sums.length / taps, taps]);
    known.set(key, value);
    return value;
  };
}

/** The filter of each position within a block, from `[fh, fw, c, k]`. */
function phaseFilters(build: Builder, filter: Value, phases: PhaseGeometry, tapSums: TapSums): Value[] {
  const [, , c, k] = filter.shape as [number, number, number, number];
  const { rows, columns, windows, taps } = phases;
  const cells = rows * columns;
  const flat = reshape(build, filter, [taps, c * k]);
  const all = build.add('MatMul', [tapSums(phases), flat], PLAIN, [windows.length * cells, c * k]);
  return windows.map((_, i) =>
    reshape(build, build.add('Slice', [all], { begin: [i * cells, 0], size: [cells, c * k] }, [cells, c * k]), [
      rows,
      columns,
      c,
      k,
    ]),
  );
}

/** Images `[n, h, w, k]` of the positions within blocks as one `[n, r·h, r·w, k]`. */
function woven(build: Builder, small: Value[], r: number): Value {
  const [n, h, w, k] = small[0]!.shape as [number, number, number, number];
  const rows = Array.from({ length: r }, (_, a) => {
    const beside = build.add('Concat', small.slice(a * r, a * r + r), { axis: 3 }, [n, h, w, r * k]);
    return reshape(build, beside, [n, h, 1, w * r * k]);
  });
  const blocks = build.add('Concat', rows, { axis: 2 }, [n, h, r, w * r * k]);
  return reshape(build, blocks, [n, h * r, w * r, k]);
}

/** The way back: `[n, r·h, r·w, k]` as an image of each position. */
function unwoven(build: Builder, large: Value, r: number): Value[] {
  const [n, H, W, k] = large.shape as [number, number, number, number];
  const [h, w] = [H / r, W / r];
  const blocks = reshape(build, large, [n, h, r, w, r * k]);
  return Array.from({ length: r * r }, (_, i) => {
    const begin = [0, 0, Math.floor(i / r), 0, (i % r) * k];
    const size = [n, h, 1, w, k];
    return reshape(build, build.add('Slice', [blocks], { begin, size }, size), [n, h, w, k]);
  });
}
