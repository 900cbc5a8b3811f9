import { graphBuilder, reachable, type Builder } from '../ir/builder.ts';
import { isElementwise } from '../ir/elementwise.ts';
import type { Graph, IrType, Node, NodeOf, OpAttrs, OpName, ReduceAttrs, Value } from '../ir/graph.ts';
import { broadcastShapes, reducedShape, sameShape } from '../ir/shapes.ts';
import { foldNumbers } from './fold.ts';

/**
 * A value that is computed at a smaller shape than it has: broadcasting `value` to `shape` gives it. Gradients of tfjs
 * multiply by full-size tensors of ones; kept lean, they cost nothing.
 */
interface Lean {
  value: Value;
  shape: readonly number[];
}

/**
 * Rewrites a graph so that
 * - broadcasts happen where an operation needs the full shape, elementwise operations run before them;
 * - constants are folded, equal nodes merged, unused ones dropped;
 * - neutral operations (x · 1, x + 0) vanish and factors are gathered (k₁ · (k₂ · x)).
 */
export function simplify(graph: Graph): Graph {
  const build = graphBuilder();
  const lean = new Map<Value, Lean>();
  for (const node of graph.nodes)
    lean.set(
      node.output,
      rewrite(
        build,
        node,
        node.inputs.map((v) => lean.get(v)!),
      ),
    );
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([name, v]) => [name, materialise(build, lean.get(v)!)]),
  );
  return { nodes: reachable(build.nodes, Object.values(outputs)), outputs };
}

const size = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

const scalar = (build: Builder, value: number, dtype: IrType): Value =>
  build.add('Constant', [], { values: value }, [], dtype);

/** One element without axes: it broadcasts to any shape, of lower rank too. */
const single = (build: Builder, value: Value): Value =>
  value.shape.length === 0 ? value : build.add('Reshape', [value], {}, [], value.dtype);

/** The number a value is, everywhere. */
const numberOf = (value: Value): number | undefined =>
  value.node.op === 'Constant' && typeof value.node.attrs.values === 'number' ? value.node.attrs.values : undefined;

/** The value at its full shape. */
function materialise(build: Builder, { value, shape }: Lean): Value {
  if (sameShape(value.shape, shape)) return value;
  if (size(value.shape) === size(shape)) return build.add('Reshape', [value], {}, shape, value.dtype);
  return build.add('BroadcastTo', [value], {}, shape, value.dtype);
}

/** Shape with ones in front up to a rank. */
const padRank = (shape: readonly number[], rank: number): number[] => [
  ...new Array<number>(rank - shape.length).fill(1),
  ...shape,
];

function padded(build: Builder, { value, shape }: Lean): Value {
  const full = padRank(value.shape, shape.length);
  return sameShape(full, value.shape) ? value : build.add('Reshape', [value], {}, full, value.dtype);
}

function rewrite(build: Builder, node: Node, inputs: Lean[]): Lean {
  const { shape, dtype } = node.output;
  const whole = (value: Value): Lean => ({ value, shape });
  const again = (): Lean => {
    const values = inputs.map((input) => materialise(build, input));
    return whole(build.add(node.op, values, node.attrs as OpAttrs[OpName], shape, dtype));
  };
  const [x] = inputs;
  if (node.op === 'Constant' && typeof node.attrs.values === 'number')
    return whole(scalar(build, node.attrs.values, dtype));
  if (isElementwise(node.op)) return whole(elementwise(build, node as ElementwiseNode, inputs));
  switch (node.op) {
    case 'BroadcastTo':
      return whole(x!.value);
    case 'Reshape':
      return whole(reshape(build, x!, shape, dtype));
    case 'Transpose': {
      if (size(x!.value.shape) === 1) return whole(single(build, x!.value));
      const { perm } = node.attrs;
      const value = padded(build, x!);
      const turned = perm.map((i) => value.shape[i]!);
      // Moving only axes of size 1 moves no data.
      const moved = perm.filter((i) => value.shape[i] !== 1);
      if (moved.every((axis, i) => i === 0 || moved[i - 1]! < axis))
        return whole(build.add('Reshape', [value], {}, turned, dtype));
      return whole(build.add('Transpose', [value], { perm }, turned, dtype));
    }
    case 'Slice': {
      const value = padded(build, x!);
      const begin = node.attrs.begin.map((b, i) => (value.shape[i] === 1 ? 0 : b));
      const part = node.attrs.size.map((s, i) => (value.shape[i] === 1 ? 1 : s));
      if (sameShape(part, value.shape)) return whole(value);
      return whole(build.add('Slice', [value], { begin, size: part }, part, dtype));
    }
    case 'Sum':
    case 'Mean':
    case 'Max':
    case 'Min':
      return whole(reduce(build, node, x!));
    default:
      return again();
  }
}

function reshape(build: Builder, x: Lean, shape: readonly number[], dtype: IrType): Value {
  if (size(x.value.shape) === 1) return single(build, x.value);
  const lean = leanReshape(x, shape);
  if (lean) return build.add('Reshape', [x.value], {}, lean, dtype);
  let value = materialise(build, x);
  // A reshape of a reshape is one reshape.
  while (value.node.op === 'Reshape') value = value.node.inputs[0]!;
  return sameShape(value.shape, shape) ? value : build.add('Reshape', [value], {}, shape, dtype);
}

/** Shape of a lean value after a reshape that only adds or removes axes of size 1. */
function leanReshape(x: Lean, shape: readonly number[]): number[] | undefined {
  if (sameShape(x.value.shape, x.shape)) return undefined;
  const from = x.shape.filter((d) => d !== 1);
  const to = shape.filter((d) => d !== 1);
  if (!sameShape(from, to)) return undefined;
  const kept = padRank(x.value.shape, x.shape.length).filter((_, i) => x.shape[i] !== 1);
  let at = 0;
  return shape.map((d) => (d === 1 ? 1 : kept[at++]!));
}

function reduce(build: Builder, node: NodeOf<'Sum' | 'Mean' | 'Max' | 'Min'>, x: Lean): Value {
  const { axes, keepDims } = node.attrs as ReduceAttrs;
  const { dtype } = node.output;
  const value = padded(build, x);
  const real = axes.filter((axis) => value.shape[axis] !== 1);
  // Axes along which the value is repeated are not summed but counted.
  const repeats = axes.reduce((n, axis) => n * (value.shape[axis] === 1 ? x.shape[axis]! : 1), 1);
  let out = value;
  const shape = reducedShape(value.shape, axes, keepDims);
  const together = runs(real);
  if (real.length === axes.length && together.length <= 1)
    out = build.add(node.op, [value], { axes, keepDims }, shape, dtype);
  else {
    // Axes apart from each other are reduced one after the other: targets would move the data to bring them together.
    for (const run of together)
      out = build.add(node.op, [out], { axes: run, keepDims: true }, reducedShape(out.shape, run, true), dtype);
    if (!sameShape(out.shape, shape))
      out = size(out.shape) === 1 && numberOf(out) !== undefined ? out : build.add('Reshape', [out], {}, shape, dtype);
  }
  return node.op === 'Sum' && repeats !== 1 ? times(build, out, repeats) : out;
}

/** Sorted axes as runs of neighbours. */
function runs(axes: number[]): number[][] {
  const found: number[][] = [];
  for (const axis of axes)
    if (found.at(-1)?.at(-1) === axis - 1) found.at(-1)!.push(axis);
    else found.push([axis]);
  return found;
}

type ElementwiseNode = Extract<Node, { op: Parameters<typeof foldNumbers>[0] }>;

function elementwise(build: Builder, node: ElementwiseNode, inputs: Lean[]): Value {
  const values = inputs.map((input) => input.value);
  const { dtype } = node.output;
  const numbers = values.map(numberOf);
  if (dtype === 'float32' && numbers.every((n) => n !== undefined) && values.every((v) => v.dtype === 'float32')) {
    const folded = foldNumbers(node.op, numbers as number[]);
    if (folded !== undefined) return scalar(build, folded, dtype);
  }
  if (node.op === 'Cast' && numbers[0] !== undefined && node.attrs.dtype !== 'bool')
    return scalar(build, dtype === 'int32' ? Math.trunc(numbers[0]) : numbers[0], dtype);
  const [a, b] = values;
  if (dtype === 'float32') {
    if (node.op === 'Mul') {
      if (numbers[0] !== undefined) return times(build, b!, numbers[0]);
      if (numbers[1] !== undefined) return times(build, a!, numbers[1]);
    }
    if (node.op === 'Add' && numbers[0] === 0) return b!;
    if ((node.op === 'Add' || node.op === 'Sub') && numbers[1] === 0) return a!;
    if (node.op === 'Div' && numbers[1] === 1) return a!;
    if (node.op === 'Pow' && numbers[1] === 2) return build.add('Square', [a!], {}, a!.shape, dtype);
    if (node.op === 'Pow' && numbers[1] === 1) return a!;
    // (a − b)² once, whichever way round it is written.
    if (node.op === 'Mul' && a === b) return build.add('Square', [a!], {}, a!.shape, dtype);
  }
  const shape = broadcastShapes(...values.map((v) => v.shape));
  return build.add(node.op as OpName, values, node.attrs as OpAttrs[OpName], shape, dtype);
}

/** `k · x`, with the factor x may have already taken in. */
function times(build: Builder, x: Value, k: number): Value {
  if (k === 1) return x;
  const n = numberOf(x);
  if (n !== undefined) return scalar(build, Math.fround(n * k), x.dtype);
  if (x.node.op === 'Mul' && x.dtype === 'float32') {
    const [a, b] = x.node.inputs as [Value, Value];
    const inner = numberOf(b);
    if (inner !== undefined) return times(build, a, Math.fround(inner * k));
  }
  if (x.node.op === 'Neg') return times(build, x.node.inputs[0]!, -k);
  return build.add('Mul', [x, scalar(build, k, x.dtype)], {}, x.shape, x.dtype);
}
