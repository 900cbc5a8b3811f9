import type { Node, NodeOf, OpName } from '../ir/graph.ts';
import { ELEMENTWISE_EMITTERS, type Emit } from './emit-elementwise.ts';
import { IMAGE_EMITTERS } from './emit-images.ts';
import { STRUCTURE_EMITTERS } from './emit-structure.ts';
import type { GraphWriter } from './writer.ts';

/** Every operation of the intermediate representation as TensorFlow ones; inputs of graphs are bound by whoever writes the graph. */
const EMITTERS: { [O in Exclude<OpName, 'Input'>]: Emit<O> } = {
  ...ELEMENTWISE_EMITTERS,
  ...STRUCTURE_EMITTERS,
  ...IMAGE_EMITTERS,
};

/** Writes nodes in order; inputs must be bound to names before. */
export function emitNodes(w: GraphWriter, nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.op === 'Input') continue;
    const emit = EMITTERS[node.op] as Emit<typeof node.op>;
    w.bind(node.output, emit(w, node.inputs.map(w.nameOf), node as NodeOf<typeof node.op>));
  }
}
