import { consumers, rewriteGraph } from '../ir/builder.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';

/**
 * Joins operations that targets have as one: a product of matrices and its bias (`Dense`), the derivative of relu
 * (`ReluGrad`).
 */
export function fuse(graph: Graph): Graph {
  const uses = consumers(graph.nodes);
  const outputs = new Set(Object.values(graph.outputs));
  const usedOnce = (value: Value) => uses.get(value)?.length === 1 && !outputs.has(value);
  return rewriteGraph(graph, (build, node, now) => {
    const { shape } = node.output;
    const dense = denseParts(node, usedOnce);
    if (dense) return build.add('Dense', dense.inputs.map(now), dense.attrs, shape);
    const gradient = reluGradParts(node);
    return gradient && build.add('ReluGrad', gradient.map(now), {}, shape);
  });
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
