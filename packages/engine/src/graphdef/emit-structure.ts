import type { IrType, OpName, Value } from '../ir/graph.ts';
import type { Emit } from './emit-elementwise.ts';
import type { GraphWriter } from './writer.ts';

type StructureOp = Extract<
  OpName,
  | 'Constant'
  | 'Sum'
  | 'Mean'
  | 'Max'
  | 'Min'
  | 'Prod'
  | 'Any'
  | 'All'
  | 'ArgMax'
  | 'Softmax'
  | 'MatMul'
  | 'Dense'
  | 'Reshape'
  | 'BroadcastTo'
  | 'Transpose'
  | 'Concat'
  | 'Slice'
  | 'Pad'
  | 'Tile'
  | 'Reverse'
  | 'Gather'
  | 'SegmentSum'
  | 'OneHot'
>;

type ReduceOp = 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod' | 'Any' | 'All';

const reduce =
  <O extends ReduceOp>(op: O): Emit<O> =>
  (w, [x], node) => {
    const { axes, keepDims } = node.attrs as { axes: number[]; keepDims: boolean };
    const { dtype, shape } = node.inputs[0]!;
    const logical = op === 'Any' || op === 'All';
    // Over all axes but the last, as gradients of biases are: a kernel of its own.
    const overRows = axes.length === shape.length - 1 && axes.every((axis, i) => axis === i);
    if (op === 'Sum' && !keepDims && overRows && shape.length >= 2 && dtype === 'float32')
      return w.node('BiasAddGrad', [x!], { T: dtype });
    return w.node(op, [x!, w.ints(axes)], { ...(logical ? {} : { T: dtype }), Tidx: 'int32', keep_dims: keepDims });
  };

/** A constant of any type and shape. */
export function emitConstant(
  w: GraphWriter,
  values: number | Float32Array | Int32Array | Uint8Array,
  shape: readonly number[],
  dtype: IrType,
): string {
  if (typeof values !== 'number') return w.tensor(values, shape);
  const scalar = w.scalar(values, dtype);
  return shape.length === 0 ? scalar : w.node('Fill', [w.shape(shape), scalar], { T: dtype, index_type: 'int32' });
}

const rank = (value: Value): number => value.shape.length;

export const STRUCTURE_EMITTERS: { [O in StructureOp]: Emit<O> } = {
  Constant: (w, _, { attrs, output }) => emitConstant(w, attrs.values, output.shape, output.dtype),
  Sum: reduce('Sum'),
  Mean: reduce('Mean'),
  Max: reduce('Max'),
  Min: reduce('Min'),
  Prod: reduce('Prod'),
  Any: reduce('Any'),
  All: reduce('All'),
  ArgMax: (w, [x], { attrs, inputs }) =>
    w.node('ArgMax', [x!, w.scalar(attrs.axis, 'int32')], {
      T: inputs[0]!.dtype,
      Tidx: 'int32',
      output_type: 'int32',
    }),
  Softmax: (w, x) => w.node('Softmax', x, { T: 'float32' }),

  MatMul: (w, x, { attrs: { transposeA, transposeB }, inputs }) =>
    inputs.every((input) => rank(input) === 2)
      ? w.node('MatMul', x, { T: 'float32', transpose_a: transposeA, transpose_b: transposeB })
      : w.node('BatchMatMulV2', x, { T: 'float32', adj_x: transposeA, adj_y: transposeB }),
  Dense(w, [a, b, bias], { attrs: { transposeA, transposeB } }) {
    const product = w.node('MatMul', [a!, b!], { T: 'float32', transpose_a: transposeA, transpose_b: transposeB });
    return w.node('BiasAdd', [product, bias!], { T: 'float32' });
  },

  Reshape: (w, [x], { output }) =>
    w.node('Reshape', [x!, w.target(output.shape)], { T: output.dtype, Tshape: 'int32' }),
  BroadcastTo: (w, [x], { output }) =>
    w.node('BroadcastTo', [x!, w.shape(output.shape)], { T: output.dtype, Tidx: 'int32' }),
  Transpose: (w, [x], { attrs, output }) =>
    w.node('Transpose', [x!, w.ints(attrs.perm)], { T: output.dtype, Tperm: 'int32' }),
  Concat: (w, x, { attrs, output }) =>
    w.node('ConcatV2', [...x, w.scalar(attrs.axis, 'int32')], { N: x.length, T: output.dtype, Tidx: 'int32' }),
  Slice(w, [x], { attrs, inputs, output }) {
    const ends = inputs[0]!.shape;
    // What goes to the end of the batch does so whatever its rows, also when it does not begin at the first.
    const size = attrs.size.map((s, i) => (w.isDynamic(ends[i]!) && attrs.begin[i]! + s === ends[i] ? -1 : s));
    return w.node('Slice', [x!, w.ints(attrs.begin), w.ints(size)], { T: output.dtype, Index: 'int32' });
  },
  Pad(w, [x], { attrs, output }) {
    const paddings = w.tensor(Int32Array.from(attrs.paddings.flat()), [attrs.paddings.length, 2]);
    return w.node('PadV2', [x!, paddings, w.scalar(attrs.value, output.dtype)], {
      T: output.dtype,
      Tpaddings: 'int32',
    });
  },
  Tile: (w, [x], { attrs, output }) =>
    w.node('Tile', [x!, w.ints(attrs.reps)], { T: output.dtype, Tmultiples: 'int32' }),
  Reverse: (w, [x], { attrs, output }) =>
    w.node('ReverseV2', [x!, w.ints(attrs.axes)], { T: output.dtype, Tidx: 'int32' }),
  Gather: (w, x, { attrs, output }) =>
    w.node('GatherV2', [...x, w.scalar(attrs.axis, 'int32')], {
      Tparams: output.dtype,
      Tindices: 'int32',
      Taxis: 'int32',
    }),
  SegmentSum: (w, x, { attrs, output }) =>
    w.node('UnsortedSegmentSum', [...x, w.scalar(attrs.count, 'int32')], {
      T: output.dtype,
      Tindices: 'int32',
      Tnumsegments: 'int32',
    }),
  OneHot: (w, [ids], { attrs, output }) =>
    w.node(
      'OneHot',
      [ids!, w.scalar(attrs.depth, 'int32'), w.scalar(attrs.on, output.dtype), w.scalar(attrs.off, output.dtype)],
      { T: output.dtype, TI: 'int32', axis: -1 },
    ),
};
