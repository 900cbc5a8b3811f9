import type { ElementwiseOp } from '../ir/elementwise.ts';
import type { IrType, NodeOf, OpName } from '../ir/graph.ts';
import type { GraphWriter } from './writer.ts';

/** Writes one node of the intermediate representation; `x` are the names of its inputs. @returns the name of its output */
export type Emit<O extends OpName> = (w: GraphWriter, x: string[], node: NodeOf<O>) => string;

/** Any node, where the operation does not matter. */
type AnyEmit = (
  w: GraphWriter,
  x: string[],
  node: { inputs: readonly { dtype: IrType; shape: readonly number[] }[] },
) => string;

/** The operation of another name, its type attribute that of the (first) input. */
const same =
  (op: string): AnyEmit =>
  (w, x, { inputs }) =>
    w.node(op, x, { T: inputs[0]!.dtype });

const logical =
  (op: string): AnyEmit =>
  (w, x) =>
    w.node(op, x);

/** Elementwise operations as TensorFlow's, after which tfjs named most of its own. */
export const ELEMENTWISE_EMITTERS: { [O in ElementwiseOp]: Emit<O> } = {
  Abs: same('Abs'),
  Neg: same('Neg'),
  Exp: same('Exp'),
  Expm1: same('Expm1'),
  Log: same('Log'),
  Log1p: same('Log1p'),
  Sqrt: same('Sqrt'),
  Rsqrt: same('Rsqrt'),
  Reciprocal: same('Reciprocal'),
  Square: same('Square'),
  Sigmoid: same('Sigmoid'),
  Tanh: same('Tanh'),
  Relu: same('Relu'),
  Elu: same('Elu'),
  Selu: same('Selu'),
  Softplus: same('Softplus'),
  Erf: same('Erf'),
  Sign: same('Sign'),
  Floor: same('Floor'),
  Ceil: same('Ceil'),
  Round: same('Round'),
  Sin: same('Sin'),
  Cos: same('Cos'),
  LogicalNot: logical('LogicalNot'),
  IsNan: same('IsNan'),
  Step(w, [x], { attrs, inputs }) {
    const { dtype } = inputs[0]!;
    const positive = w.node('Greater', [x!, w.scalar(0, dtype)], { T: dtype });
    return attrs.alpha === 0
      ? w.node('Cast', [positive], { SrcT: 'bool', DstT: dtype })
      : w.node('SelectV2', [positive, w.scalar(1, dtype), w.scalar(attrs.alpha, dtype)], { T: dtype });
  },
  LeakyRelu: (w, x, { attrs, inputs }) =>
    w.node('LeakyRelu', x, { T: inputs[0]!.dtype, alpha: { float: attrs.alpha } }),
  Clip(w, [x], { attrs, inputs }) {
    const { dtype } = inputs[0]!;
    return w.node('ClipByValue', [x!, w.scalar(attrs.min, dtype), w.scalar(attrs.max, dtype)], { T: dtype });
  },
  Cast: (w, x, { attrs, inputs }) => w.node('Cast', x, { SrcT: inputs[0]!.dtype, DstT: attrs.dtype }),

  // A vector for every row, as biases are, has a faster kernel than general broadcasting.
  Add(w, [a, b], { inputs: [x, y], output }) {
    const T = output.dtype;
    if (isRowVector(y!, x!)) return w.node('BiasAdd', [a!, b!], { T });
    if (isRowVector(x!, y!)) return w.node('BiasAdd', [b!, a!], { T });
    return w.node('AddV2', [a!, b!], { T });
  },
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: (w, x, { inputs }) =>
    w.node(inputs[0]!.dtype === 'float32' ? 'RealDiv' : 'TruncateDiv', x, { T: inputs[0]!.dtype }),
  FloorDiv: same('FloorDiv'),
  Mod: same('FloorMod'),
  Maximum: same('Maximum'),
  Minimum: same('Minimum'),
  Pow: same('Pow'),
  SquaredDifference: same('SquaredDifference'),
  Greater: same('Greater'),
  GreaterEqual: same('GreaterEqual'),
  Less: same('Less'),
  LessEqual: same('LessEqual'),
  Equal: same('Equal'),
  NotEqual: same('NotEqual'),
  LogicalAnd: logical('LogicalAnd'),
  LogicalOr: logical('LogicalOr'),
  EluGrad: same('EluGrad'),
  ReluGrad: same('ReluGrad'),
  Select: (w, x, { output }) => w.node('SelectV2', x, { T: output.dtype }),
};

const isRowVector = (v: { shape: readonly number[]; dtype: IrType }, x: { shape: readonly number[] }): boolean =>
  v.dtype === 'float32' && v.shape.length === 1 && x.shape.length >= 2 && x.shape.at(-1) === v.shape[0];
