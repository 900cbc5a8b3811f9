import { consumers, graphBuilder, reachable } from '../ir/builder.ts';
import type { Graph, Node, OpAttrs, OpName, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';

/**
 * Joins operations that targets have as one: a product of matrices and its bias (`Dense`), the derivative of relu
 * (`ReluGrad`).
 */
export function fuse(graph: Graph): Graph {
  const uses = consumers(graph.nodes);
  const outputs = new Set(Object.values(graph.outputs));
  const usedOnce = (value: Value) => uses.get(value)?.length === 1 && !outputs.has(value);
  const build = graphBuilder();
  const made = new Map<Value, Value>();
  const now = (value: Value) => made.get(value)!;
  for (const node of graph.nodes) {
    const { shape, dtype } = node.output;
    const dense = denseParts(node, usedOnce);
    const gradient = reluGradParts(node);
    let value: Value;
    if (dense) value = build.add('Dense', dense.inputs.map(now), dense.attrs, shape);
    else if (gradient) value = build.add('ReluGrad', gradient.map(now), {}, shape);
    else value = build.add(node.op, node.inputs.map(now), node.attrs as OpAttrs[OpName], shape, dtype);
    made.set(node.output, value);
  }
  const kept = Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, now(v)]));
  return { nodes: reachable(build.nodes, Object.values(kept)), outputs: kept };
}

/** Add(MatMul(a, b), bias `[n]`) over matrices. */
function denseParts(node: Node, usedOnce: (value: Value) => boolean) {
  if (node.op !== 'Add' || node.output.dtype !== 'float32') return undefined;
  for (const [product, bias] of [
    [node.inputs[0]!, node.inputs[1]!],
    [node.inputs[1]!, node.inputs[0]!],
  ] as const) {
    if (product.node.op !== 'MatMul' || product.shape.length !== 2 || !usedOnce(product)) continue;
    if (product.node.inputs.some((input) => input.shape.length !== 2)) continue;
    if (bias.shape.length !== 1 || bias.shape[0] !== product.shape[1] || bias.node.op === 'Constant') continue;
    return { inputs: [...product.node.inputs, bias], attrs: product.node.attrs };
  }
  return undefined;
}

/** Mul(dy, Step(x)). */
function reluGradParts(node: Node): [Value, Value] | undefined {
  if (node.op !== 'Mul') return undefined;
  for (const [dy, step] of [
    [node.inputs[0]!, node.inputs[1]!],
    [node.inputs[1]!, node.inputs[0]!],
  ] as const)
    if (step.node.op === 'Step' && step.node.attrs.alpha === 0 && sameShape(dy.shape, step.shape))
      return [dy, step.node.inputs[0]!];
  return undefined;
}
