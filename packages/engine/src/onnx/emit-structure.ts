import type { IrType, Value } from '../ir/graph.ts';
import type { Emit } from './emit-elementwise.ts';
import { ONNX_TYPES } from './proto.ts';
import { INT64_MAX, type OnnxWriter } from './writer.ts';

type StructureOp =
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
  | 'OneHot';

type ReduceOp = 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod';

const reduce =
  <O extends ReduceOp>(opType: string): Emit<O> =>
  (w, [x], node) => {
    const { axes, keepDims } = node.attrs as { axes: number[]; keepDims: boolean };
    return w.node(opType, [x!, w.ints(axes)], { keepdims: keepDims ? 1 : 0 });
  };

const reduceSum = reduce<'Sum'>('ReduceSum');

const reduceBool =
  <O extends 'Any' | 'All'>(opType: string): Emit<O> =>
  (w, [x], node) => {
    const { axes, keepDims } = node.attrs as { axes: number[]; keepDims: boolean };
    const numbers = w.node('Cast', [x!], { to: ONNX_TYPES.int32 });
    const reduced = w.node(opType, [numbers, w.ints(axes)], { keepdims: keepDims ? 1 : 0 });
    return w.node('Cast', [reduced], { to: ONNX_TYPES.bool });
  };

/** A constant of any type and shape. */
export function emitConstant(
  w: OnnxWriter,
  values: number | Float32Array | Int32Array | Uint8Array,
  shape: readonly number[],
  dtype: IrType,
): string {
  if (typeof values !== 'number') return w.tensor(values, shape);
  const scalar = w.scalar(values, dtype);
  return shape.length === 0 ? scalar : w.node('Expand', [scalar, w.shape(shape)]);
}

const swapLast = (rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));

const rank = (value: Value): number => value.shape.length;

export const STRUCTURE_EMITTERS: { [O in StructureOp]: Emit<O> } = {
  Constant: (w, _, { attrs, output }) => emitConstant(w, attrs.values, output.shape, output.dtype),
  Sum(w, x, node) {
    const { axes, keepDims } = node.attrs;
    const { shape, dtype } = node.inputs[0]!;
    const overRows = axes.length === shape.length - 1 && axes.every((axis, i) => axis === i);
    const rows = shape.slice(0, -1).reduce((product, d) => product * d, 1);
    if (shape.length < 2 || !overRows || dtype !== 'float32' || shape.some(w.isDynamic)) return reduceSum(w, x, node);
    // Over all axes but the last, as gradients of biases are: a product with ones is several times as fast.
    const columns = shape.at(-1)!;
    const table = shape.length === 2 ? x[0]! : w.node('Reshape', [x[0]!, w.ints([rows, columns])]);
    const sums = w.node('MatMul', [emitConstant(w, 1, [1, rows], 'float32'), table]);
    return keepDims && shape.length === 2 ? sums : w.node('Reshape', [sums, w.ints([...node.output.shape])]);
  },
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  Any: reduceBool('ReduceMax'),
  All: reduceBool('ReduceMin'),
  ArgMax: (w, x, { attrs }) =>
    w.node('Cast', [w.node('ArgMax', x, { axis: attrs.axis, keepdims: 0 })], { to: ONNX_TYPES.int32 }),
  Softmax: (w, x) => w.node('Softmax', x, { axis: -1 }),

  MatMul(w, [a, b], { attrs, inputs }) {
    const { transposeA, transposeB } = attrs;
    if (inputs.every((input) => rank(input) === 2) && (transposeA || transposeB))
      return w.node('Gemm', [a!, b!], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
    const turned = (name: string, turn: boolean, value: Value) =>
      turn ? w.node('Transpose', [name], { perm: swapLast(rank(value)) }) : name;
    return w.node('MatMul', [turned(a!, transposeA, inputs[0]!), turned(b!, transposeB, inputs[1]!)]);
  },
  Dense: (w, x, { attrs }) => w.node('Gemm', x, { transA: attrs.transposeA ? 1 : 0, transB: attrs.transposeB ? 1 : 0 }),

  Reshape: (w, [x], { output }) => w.node('Reshape', [x!, w.reshapeTarget(output.shape)]),
  BroadcastTo: (w, [x], { output }) => w.node('Expand', [x!, w.shape(output.shape)]),
  Transpose: (w, x, { attrs }) => w.node('Transpose', x, { perm: attrs.perm }),
  Concat: (w, x, { attrs }) => w.node('Concat', x, { axis: attrs.axis }),
  Slice(w, [x], { attrs, inputs }) {
    const shape = inputs[0]!.shape;
    const cut = shape.map((_, i) => i).filter((i) => attrs.begin[i] !== 0 || attrs.size[i] !== shape[i]);
    const begins = cut.map((i) => attrs.begin[i]!);
    const ends = cut.map((i) => {
      const end = attrs.begin[i]! + attrs.size[i]!;
      return end === shape[i] ? INT64_MAX : end;
    });
    return w.node('Slice', [x!, w.ints(begins), w.ints(ends), w.ints(cut)]);
  },
  Pad(w, [x], { attrs, output }) {
    const pads = [...attrs.paddings.map(([before]) => before), ...attrs.paddings.map(([, after]) => after)];
    return w.node('Pad', [x!, w.ints(pads), w.scalar(attrs.value, output.dtype)], { mode: 'constant' });
  },
  Tile: (w, [x], { attrs }) => w.node('Tile', [x!, w.ints(attrs.reps)]),
  Reverse(w, [x], { attrs }) {
    const each = (value: number) => w.ints(attrs.axes.map(() => value));
    return w.node('Slice', [x!, each(-1), each(-INT64_MAX), w.ints(attrs.axes), each(-1)]);
  },
  Gather: (w, x, { attrs }) => w.node('Gather', x, { axis: attrs.axis }),
  SegmentSum(w, [x, ids], { inputs, output }) {
    const rest = output.shape.slice(1);
    const flat = (name: string, shape: number[]) => w.node('Reshape', [name, w.ints([-1, ...shape])]);
    const updates = rank(inputs[1]!) === 1 ? x! : flat(x!, rest);
    const indices = flat(w.node('Cast', [ids!], { to: ONNX_TYPES.int64 }), [1]);
    const zeros = emitConstant(w, 0, output.shape, output.dtype);
    return w.node('ScatterND', [zeros, indices, updates], { reduction: 'add' });
  },
  // Not ONNX's OneHot, for which −1 is the last class: here it is none.
  OneHot(w, [ids], { attrs, inputs, output }) {
    const classes = w.tensor(
      Int32Array.from({ length: attrs.depth }, (_, i) => i),
      [attrs.depth],
    );
    const column = w.node('Reshape', [ids!, w.reshapeTarget([...inputs[0]!.shape, 1])]);
    const hot = w.node('Equal', [column, classes]);
    if (attrs.on === 1 && attrs.off === 0) return w.node('Cast', [hot], { to: ONNX_TYPES[output.dtype] });
    return w.node('Where', [hot, w.scalar(attrs.on, output.dtype), w.scalar(attrs.off, output.dtype)]);
  },
};
