import * as tf from '@tensorflow/tfjs';

import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { broadcastShapes, normalAxes, reducedShape, sameShape } from '../ir/shapes.ts';
import { activate, cast, constant, elementwise, irType } from './lower-elementwise.ts';
import { Untraceable, type Lowering } from './lowering.ts';

type Axis = number | number[] | undefined;

const reduce =
  (op: 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod' | 'Any' | 'All'): Lowering =>
  ({ build, inputs, attrs }) => {
    const x = op === 'Mean' ? cast(build, inputs.x!, 'float32') : inputs.x!;
    const axes = normalAxes((attrs.axis ?? attrs.reductionIndices) as Axis, x.shape.length);
    const keepDims = Boolean(attrs.keepDims);
    if (axes.length === 0) return x;
    return build.add(op, [x], { axes, keepDims }, reducedShape(x.shape, axes, keepDims), x.dtype);
  };

export const reshape = (build: Builder, x: Value, shape: readonly number[]): Value =>
  sameShape(x.shape, shape) ? x : build.add('Reshape', [x], {}, shape, x.dtype);

export function transpose(build: Builder, x: Value, perm: number[]): Value {
  return build.add(
    'Transpose',
    [x],
    { perm },
    perm.map((i) => x.shape[i]!),
    x.dtype,
  );
}

function concat(build: Builder, parts: Value[], axis: number): Value {
  // tfjs drops empty parts and allows for them being of any rank.
  const full = parts.filter((part) => tf.util.sizeFromShape([...part.shape]) > 0);
  if (full.length === 1) return full[0]!;
  const shape = [...full[0]!.shape];
  shape[axis] = full.reduce((sum, part) => sum + part.shape[axis]!, 0);
  return build.add('Concat', full, { axis }, shape, full[0]!.dtype);
}

function slice(build: Builder, x: Value, begin: number[], size: number[]): Value {
  if (sameShape(size, x.shape)) return x;
  return build.add('Slice', [x], { begin, size }, size, x.dtype);
}

export function matMul(build: Builder, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const [rows] = transposeA ? a.shape.slice(-1) : a.shape.slice(-2, -1);
  const [columns] = transposeB ? b.shape.slice(-2, -1) : b.shape.slice(-1);
  const shape = [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows!, columns!];
  return build.add('MatMul', [a, b], { transposeA, transposeB }, shape);
}

export const STRUCTURE_LOWERINGS: Record<string, Lowering> = {
  Sum: reduce('Sum'),
  Mean: reduce('Mean'),
  Max: reduce('Max'),
  Min: reduce('Min'),
  Prod: reduce('Prod'),
  Any: reduce('Any'),
  All: reduce('All'),
  ArgMax: ({ build, inputs, attrs }) => argMax(build, inputs.x!, attrs.axis as Axis),
  ArgMin: ({ build, inputs, attrs }) => argMax(build, elementwise(build, 'Neg', [inputs.x!], {}), attrs.axis as Axis),
  Softmax: ({ build, inputs }) => build.add('Softmax', [inputs.logits!], {}, inputs.logits!.shape),

  BatchMatMul: ({ build, inputs, attrs }) =>
    matMul(build, inputs.a!, inputs.b!, Boolean(attrs.transposeA), Boolean(attrs.transposeB)),
  _FusedMatMul: ({ build, inputs, attrs }) => {
    const product = matMul(build, inputs.a!, inputs.b!, Boolean(attrs.transposeA), Boolean(attrs.transposeB));
    const sum = inputs.bias ? elementwise(build, 'Add', [product, inputs.bias], {}) : product;
    return activate(build, sum, attrs, inputs.preluActivationWeights);
  },

  Reshape: ({ build, inputs, attrs }) =>
    reshape(
      build,
      inputs.x!,
      tf.util.inferFromImplicitShape(attrs.shape as number[], tf.util.sizeFromShape([...inputs.x!.shape])),
    ),
  ExpandDims: ({ build, inputs, attrs }) => {
    const x = inputs.input!;
    const dim = attrs.dim as number;
    const at = dim < 0 ? dim + x.shape.length + 1 : dim;
    return reshape(build, x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  },
  Transpose: ({ build, inputs, attrs }) => transpose(build, inputs.x!, attrs.perm as number[]),
  Concat: ({ build, inputs, attrs }) => {
    const parts = Object.values(inputs);
    const [axis] = normalAxes(attrs.axis as number, parts[0]!.shape.length);
    return concat(build, parts, axis!);
  },
  Pack: ({ build, inputs, attrs }) => {
    const parts = Object.values(inputs);
    const rank = parts[0]!.shape.length + 1;
    const [axis] = normalAxes(attrs.axis as number, rank);
    const expand = (x: Value) => reshape(build, x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
    return concat(build, parts.map(expand), axis!);
  },
  Unpack: ({ build, inputs, attrs }) => {
    const x = inputs.value!;
    const [axis] = normalAxes(attrs.axis as number, x.shape.length);
    return Array.from({ length: x.shape[axis!]! }, (_, i) => {
      const begin = x.shape.map((_, k) => (k === axis ? i : 0));
      const size = x.shape.map((d, k) => (k === axis ? 1 : d));
      return reshape(build, slice(build, x, begin, size), reducedShape(x.shape, [axis!], false));
    });
  },
  SplitV: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const [axis] = normalAxes(attrs.axis as number, x.shape.length);
    const given = attrs.numOrSizeSplits as number | number[];
    const total = x.shape[axis!]!;
    const sizes =
      typeof given === 'number'
        ? new Array<number>(given).fill(total / given)
        : given.map((s) => (s === -1 ? total - given.reduce((sum, v) => sum + Math.max(0, v), 0) : s));
    let at = 0;
    return sizes.map((part) => {
      const begin = x.shape.map((_, k) => (k === axis ? at : 0));
      at += part;
      return slice(
        build,
        x,
        begin,
        x.shape.map((d, k) => (k === axis ? part : d)),
      );
    });
  },
  Slice: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const like = { shape: [...x.shape] } as tf.Tensor;
    const [begin, size] = tf.slice_util.parseSliceParams(like, attrs.begin as number[], attrs.size as number[]);
    return slice(build, x, begin!, size!);
  },
  StridedSlice: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const a = attrs as Record<string, number> & { begin: number[]; end: number[]; strides: number[] };
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask!,
      a.endMask!,
      a.ellipsisMask!,
      a.newAxisMask!,
      a.shrinkAxisMask!,
    );
    if (info.strides.some((s) => s !== 1))
      throw new Untraceable('a slice with strides other than 1 cannot be compiled');
    const size = info.begin.map((b, i) => info.end[i]! - b);
    return reshape(build, slice(build, x, info.begin, size), info.finalShape);
  },
  PadV2: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const paddings = attrs.paddings as [number, number][];
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    const shape = x.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
    return build.add('Pad', [x], { paddings, value: Number(attrs.constantValue ?? 0) }, shape, x.dtype);
  },
  Tile: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const reps = attrs.reps as number[];
    const shape = x.shape.map((d, i) => d * reps[i]!);
    if (sameShape(shape, x.shape)) return x;
    if (x.shape.every((d, i) => d === 1 || reps[i] === 1)) return build.add('BroadcastTo', [x], {}, shape, x.dtype);
    return build.add('Tile', [x], { reps }, shape, x.dtype);
  },
  Reverse: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    return build.add('Reverse', [x], { axes: normalAxes(attrs.dims as Axis, x.shape.length) }, x.shape, x.dtype);
  },
  GatherV2: ({ build, inputs, attrs }) => {
    const { x, indices } = inputs;
    if (attrs.batchDims) throw new Untraceable('gather with batchDims cannot be compiled');
    const [axis] = normalAxes(attrs.axis as number, x!.shape.length);
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis! + 1)];
    return build.add('Gather', [x!, cast(build, indices!, 'int32')], { axis: axis! }, shape, x!.dtype);
  },
  UnsortedSegmentSum: ({ build, inputs, attrs }) => {
    const { x, segmentIds } = inputs;
    const count = attrs.numSegments as number;
    const shape = [count, ...x!.shape.slice(segmentIds!.shape.length)];
    return build.add('SegmentSum', [x!, segmentIds!], { count }, shape, x!.dtype);
  },
  OneHot: ({ build, inputs, attrs }) => {
    const indices = inputs.indices!;
    const depth = attrs.depth as number;
    const hot = { depth, on: attrs.onValue as number, off: attrs.offValue as number };
    return build.add('OneHot', [indices], hot, [...indices.shape, depth], irType(attrs.dtype ?? 'int32'));
  },
  Fill: ({ build, attrs }) =>
    constant(build, Number(attrs.value), attrs.shape as number[], irType(attrs.dtype ?? 'float32')),
  Range: ({ build, attrs }) => {
    const { start, stop, step } = attrs as { start: number; stop: number; step: number };
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const numbers = Array.from({ length }, (_, i) => start + i * step);
    const dtype = irType(attrs.dtype ?? 'float32');
    const values = dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
    return build.add('Constant', [], { values }, [length], dtype);
  },
  DepthToSpace: ({ build, inputs, attrs }) => {
    const x = inputs.x!;
    const block = attrs.blockSize as number;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (attrs.dataFormat === 'NCHW') throw new Untraceable('depthToSpace in NCHW cannot be compiled: use NHWC');
    const depth = c / block ** 2;
    const blocks = transpose(build, reshape(build, x, [n, h, w, block, block, depth]), [0, 1, 3, 2, 4, 5]);
    return reshape(build, blocks, [n, h * block, w * block, depth]);
  },
};

function argMax(build: Builder, x: Value, axis: Axis): Value {
  const [first] = normalAxes(axis ?? 0, x.shape.length);
  return build.add('ArgMax', [x], { axis: first! }, reducedShape(x.shape, [first!], false), 'int32');
}
