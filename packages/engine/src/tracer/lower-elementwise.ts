import type { Builder } from '../ir/builder.ts';
import type { ElementwiseOp } from '../ir/elementwise.ts';
import type { IrType, OpAttrs, Value } from '../ir/graph.ts';
import { broadcastShapes } from '../ir/shapes.ts';
import { Untraceable, type Lowering } from './lowering.ts';

/** A number as a tensor of any shape. */
export const constant = (build: Builder, value: number, shape: readonly number[] = [], dtype: IrType = 'float32') =>
  build.add('Constant', [], { values: value }, shape, dtype);

export function cast(build: Builder, x: Value, dtype: IrType): Value {
  return x.dtype === dtype ? x : build.add('Cast', [x], { dtype }, x.shape, dtype);
}

/** An elementwise node; its shape is that of the inputs broadcast together. */
export function elementwise<O extends ElementwiseOp>(
  build: Builder,
  op: O,
  inputs: Value[],
  attrs: OpAttrs[O],
  dtype: IrType = inputs[0]!.dtype,
): Value {
  return build.add(op, inputs, attrs, broadcastShapes(...inputs.map((v) => v.shape)), dtype);
}

type PlainOp = { [O in ElementwiseOp]: OpAttrs[O] extends Record<string, never> ? O : never }[ElementwiseOp];

/** Kernels of one input that keep its type. */
const keepType =
  (op: PlainOp): Lowering =>
  ({ build, inputs }) =>
    elementwise(build, op, [inputs.x!], {});

/** Kernels of one input that give floats. */
const toFloat =
  (op: PlainOp): Lowering =>
  ({ build, inputs }) =>
    elementwise(build, op, [cast(build, inputs.x!, 'float32')], {});

const binary =
  (op: PlainOp): Lowering =>
  ({ build, inputs }) =>
    elementwise(build, op, [inputs.a!, inputs.b!], {});

const comparison =
  (op: PlainOp): Lowering =>
  ({ build, inputs }) =>
    elementwise(build, op, [inputs.a!, inputs.b!], {}, 'bool');

const filled =
  (value: number): Lowering =>
  ({ build, inputs }) =>
    constant(build, value, inputs.x!.shape, inputs.x!.dtype);

const asNumber = (x: unknown): number => Number(x ?? 0);

export function irType(dtype: unknown): IrType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Untraceable(`tensors of type ${String(dtype)} cannot be compiled (float32, int32 and bool can)`);
}

/** Activation names of tfjs' fused kernels. */
export function activate(build: Builder, x: Value, attrs: Record<string, unknown>, alpha: Value | undefined): Value {
  switch (attrs.activation ?? 'linear') {
    case 'linear':
      return x;
    case 'relu':
      return elementwise(build, 'Relu', [x], {});
    case 'relu6':
      return elementwise(build, 'Clip', [x], { min: 0, max: 6 });
    case 'elu':
      return elementwise(build, 'Elu', [x], {});
    case 'sigmoid':
      return elementwise(build, 'Sigmoid', [x], {});
    case 'leakyrelu':
      return elementwise(build, 'LeakyRelu', [x], { alpha: asNumber(attrs.leakyreluAlpha) });
    case 'prelu':
      return prelu(build, x, alpha!);
    default:
      throw new Untraceable(`activation ${String(attrs.activation)} cannot be compiled`);
  }
}

function prelu(build: Builder, x: Value, alpha: Value): Value {
  const positive = elementwise(build, 'GreaterEqual', [x, constant(build, 0)], {}, 'bool');
  return elementwise(build, 'Select', [positive, x, elementwise(build, 'Mul', [alpha, x], {})], {}, x.dtype);
}

export const ELEMENTWISE_LOWERINGS: Record<string, Lowering> = {
  Identity: ({ inputs }) => inputs.x!,
  Abs: keepType('Abs'),
  Neg: keepType('Neg'),
  Square: keepType('Square'),
  Sign: keepType('Sign'),
  Relu: keepType('Relu'),
  Floor: keepType('Floor'),
  Ceil: keepType('Ceil'),
  Round: keepType('Round'),
  Exp: toFloat('Exp'),
  Expm1: toFloat('Expm1'),
  Log: toFloat('Log'),
  Log1p: toFloat('Log1p'),
  Sqrt: toFloat('Sqrt'),
  Rsqrt: toFloat('Rsqrt'),
  Reciprocal: toFloat('Reciprocal'),
  Sigmoid: toFloat('Sigmoid'),
  Tanh: toFloat('Tanh'),
  Elu: toFloat('Elu'),
  Selu: toFloat('Selu'),
  Softplus: toFloat('Softplus'),
  Erf: toFloat('Erf'),
  Sin: toFloat('Sin'),
  Cos: toFloat('Cos'),
  IsNan: ({ build, inputs }) => elementwise(build, 'IsNan', [inputs.x!], {}, 'bool'),
  LogicalNot: ({ build, inputs }) => elementwise(build, 'LogicalNot', [inputs.x!], {}, 'bool'),
  Step: ({ build, inputs, attrs }) => elementwise(build, 'Step', [inputs.x!], { alpha: asNumber(attrs.alpha) }),
  LeakyRelu: ({ build, inputs, attrs }) =>
    elementwise(build, 'LeakyRelu', [inputs.x!], { alpha: asNumber(attrs.alpha) }),
  Relu6: ({ build, inputs }) => elementwise(build, 'Clip', [inputs.x!], { min: 0, max: 6 }),
  ClipByValue: ({ build, inputs, attrs }) =>
    elementwise(build, 'Clip', [inputs.x!], { min: asNumber(attrs.clipValueMin), max: asNumber(attrs.clipValueMax) }),
  Prelu: ({ build, inputs }) => prelu(build, inputs.x!, inputs.alpha!),
  Cast: ({ build, inputs, attrs }) => cast(build, inputs.x!, irType(attrs.dtype)),
  ZerosLike: filled(0),
  OnesLike: filled(1),

  Add: binary('Add'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div'),
  FloorDiv: binary('FloorDiv'),
  Mod: binary('Mod'),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  Pow: binary('Pow'),
  SquaredDifference: binary('SquaredDifference'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessEqual'),
  Equal: comparison('Equal'),
  NotEqual: comparison('NotEqual'),
  LogicalAnd: comparison('LogicalAnd'),
  LogicalOr: comparison('LogicalOr'),
  EluGrad: ({ build, inputs }) => elementwise(build, 'EluGrad', [inputs.dy!, inputs.y!], {}),
  Select: ({ build, inputs }) => {
    const { condition, t, e } = inputs;
    return elementwise(build, 'Select', [condition!, t!, e!], {}, t!.dtype);
  },
  AddN: ({ build, inputs }) => Object.values(inputs).reduce((sum, next) => elementwise(build, 'Add', [sum, next], {})),
  FusedBatchNorm: ({ build, inputs, attrs }) => {
    const { x, mean, variance, offset, scale } = inputs;
    const shifted = elementwise(build, 'Add', [variance!, constant(build, asNumber(attrs.varianceEpsilon))], {});
    let factor = elementwise(build, 'Rsqrt', [shifted], {});
    if (scale) factor = elementwise(build, 'Mul', [factor, scale], {});
    const y = elementwise(build, 'Mul', [elementwise(build, 'Sub', [x!, mean!], {}), factor], {});
    return offset ? elementwise(build, 'Add', [y, offset], {}) : y;
  },
};
