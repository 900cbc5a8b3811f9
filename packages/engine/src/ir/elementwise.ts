import type { OpName } from './graph.ts';

const ONE_INPUT = [
  'Abs',
  'Neg',
  'Exp',
  'Expm1',
  'Log',
  'Log1p',
  'Sqrt',
  'Rsqrt',
  'Reciprocal',
  'Square',
  'Sigmoid',
  'Tanh',
  'Relu',
  'Elu',
  'Selu',
  'Softplus',
  'Erf',
  'Sign',
  'Floor',
  'Ceil',
  'Round',
  'Sin',
  'Cos',
  'LogicalNot',
  'IsNan',
  'Step',
  'LeakyRelu',
  'Clip',
  'Cast',
] as const satisfies OpName[];

const SEVERAL_INPUTS = [
  'Add',
  'Sub',
  'Mul',
  'Div',
  'FloorDiv',
  'Mod',
  'Maximum',
  'Minimum',
  'Pow',
  'SquaredDifference',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Equal',
  'NotEqual',
  'LogicalAnd',
  'LogicalOr',
  'EluGrad',
  'ReluGrad',
  'Select',
] as const satisfies OpName[];

/** Operations that treat each element alone, broadcasting their inputs: they may be computed before a broadcast. */
export type ElementwiseOp = (typeof ONE_INPUT)[number] | (typeof SEVERAL_INPUTS)[number];

const ALL: ReadonlySet<string> = new Set([...ONE_INPUT, ...SEVERAL_INPUTS]);

export const isElementwise = (op: OpName): op is ElementwiseOp => ALL.has(op);
