import type { ElementwiseOp } from '../ir/elementwise.ts';
import { sizeOf } from '../flat-params.ts';
import type { NodeOf, OpName } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { ONNX_TYPES } from './proto.ts';
import type { OnnxWriter } from './writer.ts';

/** Writes one node of the intermediate representation; `x` are the names of its inputs. @returns the name of its output */
export type Emit<O extends OpName> = (w: OnnxWriter, x: string[], node: NodeOf<O>) => string;

type PlainEmit = (w: OnnxWriter, x: string[]) => string;

const same =
  (opType: string): PlainEmit =>
  (w, x) =>
    w.node(opType, x);

const typeOf = (node: { inputs: readonly { dtype: 'float32' | 'int32' | 'bool' }[] }) => node.inputs[0]!.dtype;

/** Elementwise operations as ONNX ones. */
export const ELEMENTWISE_EMITTERS: { [O in ElementwiseOp]: Emit<O> } = {
  Abs: same('Abs'),
  Neg: same('Neg'),
  Exp: same('Exp'),
  Expm1: (w, x) => w.node('Sub', [w.node('Exp', x), w.scalar(1)]),
  Log: same('Log'),
  Log1p: (w, x) => w.node('Log', [w.node('Add', [x[0]!, w.scalar(1)])]),
  Sqrt: same('Sqrt'),
  Rsqrt: (w, x) => w.node('Reciprocal', [w.node('Sqrt', x)]),
  Reciprocal: same('Reciprocal'),
  Square: (w, [x]) => w.node('Mul', [x!, x!]),
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
  LogicalNot: same('Not'),
  IsNan: same('IsNaN'),
  Step(w, [x], node) {
    const positive = w.node('Greater', [x!, w.scalar(0, typeOf(node))]);
    return node.attrs.alpha === 0
      ? w.node('Cast', [positive], { to: ONNX_TYPES[node.output.dtype] })
      : w.node('Where', [positive, w.scalar(1, typeOf(node)), w.scalar(node.attrs.alpha, typeOf(node))]);
  },
  LeakyRelu: (w, x, { attrs }) => w.node('LeakyRelu', x, { alpha: { float: attrs.alpha } }),
  Clip: (w, [x], node) =>
    w.node('Clip', [x!, w.scalar(node.attrs.min, typeOf(node)), w.scalar(node.attrs.max, typeOf(node))]),
  Cast: (w, x, { attrs }) => w.node('Cast', x, { to: ONNX_TYPES[attrs.dtype] }),

  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  FloorDiv(w, x, node) {
    if (node.output.dtype === 'float32') return w.node('Floor', [w.node('Div', x)]);
    const floats = x.map((name) => w.node('Cast', [name], { to: ONNX_TYPES.float32 }));
    return w.node('Cast', [w.node('Floor', [w.node('Div', floats)])], { to: ONNX_TYPES.int32 });
  },
  // The remainder has the sign of the divisor, as in tfjs; ONNX says so for whole numbers only.
  Mod(w, [a, b], node) {
    if (node.output.dtype === 'int32') return w.node('Mod', [a!, b!]);
    return w.node('Sub', [a!, w.node('Mul', [w.node('Floor', [w.node('Div', [a!, b!])]), b!])]);
  },
  Maximum: same('Max'),
  Minimum: same('Min'),
  Pow: (w, x, { inputs, output }) =>
    w.node(
      'Pow',
      // onnxruntime's kernel for GPUs refuses two powers that repeat along different axes.
      x.map((name, i) =>
        !w.gpu || sizeOf(inputs[i]!.shape) === 1 || sameShape(inputs[i]!.shape, output.shape)
          ? name
          : w.node('Expand', [name, w.shape(output.shape)]),
      ),
    ),
  SquaredDifference(w, x) {
    const difference = w.node('Sub', x);
    return w.node('Mul', [difference, difference]);
  },
  Greater: same('Greater'),
  GreaterEqual: same('GreaterOrEqual'),
  Less: same('Less'),
  LessEqual: same('LessOrEqual'),
  Equal: same('Equal'),
  NotEqual: (w, x) => w.node('Not', [w.node('Equal', x)]),
  LogicalAnd: same('And'),
  LogicalOr: same('Or'),
  EluGrad(w, [dy, y]) {
    const below = w.node('Mul', [dy!, w.node('Add', [y!, w.scalar(1)])]);
    return w.node('Where', [w.node('GreaterOrEqual', [y!, w.scalar(0)]), dy!, below]);
  },
  ReluGrad: (w, [dy, x]) => w.node('Where', [w.node('Greater', [x!, w.scalar(0)]), dy!, w.scalar(0)]),
  Select: same('Where'),
};
