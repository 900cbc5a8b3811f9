import type { ElementwiseOp } from '../ir/elementwise.ts';

const f = Math.fround;

/** What an operation gives for plain numbers, in float32; only those that graphs of gradients are full of. */
const FOLDS: Partial<Record<ElementwiseOp, (a: number, b: number) => number>> = {
  Add: (a, b) => f(a + b),
  Sub: (a, b) => f(a - b),
  Mul: (a, b) => f(a * b),
  Div: (a, b) => f(a / b),
  Maximum: (a, b) => Math.max(a, b),
  Minimum: (a, b) => Math.min(a, b),
  Neg: (a) => -a,
  Abs: (a) => Math.abs(a),
  Square: (a) => f(a * a),
  Sqrt: (a) => f(Math.sqrt(a)),
  Rsqrt: (a) => f(1 / Math.sqrt(a)),
  Reciprocal: (a) => f(1 / a),
  Relu: (a) => Math.max(a, 0),
};

/** The result for numbers, or undefined when it is not known here. */
export function foldNumbers(op: ElementwiseOp, numbers: number[]): number | undefined {
  const fold = FOLDS[op];
  return fold ? fold(numbers[0]!, numbers[1] ?? 0) : undefined;
}
