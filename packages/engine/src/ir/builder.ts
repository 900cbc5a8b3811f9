import type { Graph, IrType, Node, NodeOf, OpAttrs, OpName, Value } from './graph.ts';

/** Adds nodes to a graph under construction; equal nodes are made once. */
export interface Builder {
  add<O extends OpName>(
    op: O,
    inputs: readonly Value[],
    attrs: OpAttrs[O],
    shape: readonly number[],
    dtype?: IrType,
  ): Value;
  readonly nodes: readonly Node[];
}

export function graphBuilder(): Builder {
  const nodes: Node[] = [];
  const known = new Map<string, Value>();
  return {
    nodes,
    add(op, inputs, attrs, shape, dtype = 'float32') {
      const key = nodeKey(op, inputs, attrs, shape, dtype);
      const same = key === undefined ? undefined : known.get(key);
      if (same) return same;
      const output: Value = { id: nodes.length, shape, dtype, node: undefined as never };
      const node = { op, inputs, attrs, output } as NodeOf<typeof op>;
      output.node = node as unknown as Node;
      nodes.push(output.node);
      if (key !== undefined) known.set(key, output);
      return output;
    },
  };
}

/** Text that is equal for nodes that compute the same; undefined for nodes that are never merged. */
function nodeKey(op: OpName, inputs: readonly Value[], attrs: object, shape: readonly number[], dtype: IrType) {
  // Every draw of random numbers is its own; other inputs have names.
  if (op === 'Constant' && typeof (attrs as OpAttrs['Constant']).values !== 'number') return undefined;
  // JSON would write NaN, Infinity and -0 all wrong.
  const attrText = JSON.stringify(attrs, (_, v: unknown) =>
    typeof v === 'number' && (!Number.isFinite(v) || Object.is(v, -0)) ? `#${Object.is(v, -0) ? '-0' : v}` : v,
  );
  return `${op}(${inputs.map((v) => v.id).join()})${attrText}:${dtype}[${shape.join()}]`;
}

/**
 * A graph anew, with other nodes in the place of some; what is not needed any more is dropped.
 * @param replace what computes a node's output instead, if not the node as it is; `now` gives the new value of an old one
 */
export function rewriteGraph(
  graph: Graph,
  replace: (build: Builder, node: Node, now: (value: Value) => Value) => Value | undefined,
): Graph {
  const build = graphBuilder();
  const made = new Map<Value, Value>();
  const now = (value: Value): Value => made.get(value)!;
  for (const node of graph.nodes) {
    const { shape, dtype } = node.output;
    const value =
      replace(build, node, now) ??
      build.add(node.op, node.inputs.map(now), node.attrs as OpAttrs[OpName], shape, dtype);
    made.set(node.output, value);
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, now(value)]));
  return { nodes: reachable(build.nodes, Object.values(outputs)), outputs };
}

/** What every value of a graph goes into. */
export function consumers(nodes: readonly Node[]): Map<Value, Node[]> {
  const uses = new Map<Value, Node[]>();
  for (const node of nodes)
    for (const input of node.inputs) {
      const list = uses.get(input);
      if (list) list.push(node);
      else uses.set(input, [node]);
    }
  return uses;
}

/** The nodes that `outputs` need, in order. */
export function reachable(nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const needed = new Set<Node>(outputs.map((value) => value.node));
  for (let i = nodes.length - 1; i >= 0; i--)
    if (needed.has(nodes[i]!)) for (const input of nodes[i]!.inputs) needed.add(input.node);
  return nodes.filter((node) => needed.has(node));
}
