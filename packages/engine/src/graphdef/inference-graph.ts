import { paramLayout } from '../flat-params.ts';
import { optimise } from '../passes/optimise.ts';
import { rowMarker } from '../tracer/row-marker.ts';
import { traceForward, type RandomDraw } from '../tracer/trace-step.ts';
import type { DataShape } from '../training-data.ts';
import type { ForwardSpec } from '../types.ts';
import { emitNodes } from './emit.ts';
import { encodeSavedModel } from './proto.ts';
import { assignEntry, read, variable } from './variables.ts';
import { graphWriter } from './writer.ts';

/** A forward pass as TensorFlow graph, for batches of any size. */
export interface InferenceGraph {
  /** `saved_model.pb` */
  model: Uint8Array;
  draws: readonly RandomDraw[];
  /** Type and shape of a row of each output, in order. */
  outputs: Record<string, DataShape>;
  /** Rows the graph was traced for; multiples of it in shapes of draws stand for the rows of the batch. */
  tracedRows: number;
}

/**
 * Entries: `params/done` (feeds `params/N`), and `out/N` (feeds `x/N`, `random/N`), numbered as data, parameters and
 * outputs are ordered.
 *
 * @throws STEP_UNTRACEABLE with the line to change
 */
export function inferenceGraph(
  spec: Pick<ForwardSpec, 'params' | 'forward'>,
  data: Record<string, DataShape>,
): InferenceGraph {
  const rows = rowMarker(spec.params, data);
  const traced = traceForward(spec.forward, data, spec.params, rows);
  const graph = optimise(traced);
  const [first] = Object.values(data);
  const w = graphWriter({ rows, of: 'x/0', dtype: first!.dtype });
  const sized = (shape: readonly number[]) => ({ shape: shape.map((d) => (w.isDynamic(d) ? -1 : d)) });
  const names = Object.keys(data);
  for (const [i, { rowShape, dtype }] of Object.values(data).entries())
    w.node('Placeholder', [], { dtype, shape: { shape: [-1, ...rowShape] } }, `x/${i}`);
  traced.draws.forEach(({ shape }, i) =>
    w.node('Placeholder', [], { dtype: 'float32', shape: sized(shape) }, `random/${i}`),
  );
  const { slices } = paramLayout(spec.params);
  const params = slices.map(({ shape }, i) => variable(w, `param${i}`, shape));
  assignEntry(w, 'params', params);
  const index = new Map(slices.map(({ name }, i) => [name, i]));
  for (const node of graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'data') w.bind(node.output, `x/${names.indexOf(name)}`);
    else if (kind === 'random') w.bind(node.output, `random/${name}`);
    else w.bind(node.output, read(w, params[index.get(name)!]!));
  }
  emitNodes(w, graph.nodes);
  const outputs: Record<string, DataShape> = {};
  Object.entries(graph.outputs).forEach(([name, value], i) => {
    const dtype = value.dtype === 'int32' ? 'int32' : 'float32';
    outputs[name] = { rowShape: value.shape.slice(1), dtype };
    w.node('Identity', [w.nameOf(value)], { T: dtype }, `out/${i}`);
  });
  return { model: encodeSavedModel(w.nodes), draws: traced.draws, outputs, tracedRows: rows };
}
