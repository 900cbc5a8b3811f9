import type { ForwardSpec } from '../types.ts';
import { optimise } from '../passes/optimise.ts';
import { rowMarker } from '../tracer/row-marker.ts';
import { traceForward, type RandomDraw } from '../tracer/trace-step.ts';
import type { DataShape } from '../training-data.ts';
import { emitNodes } from './emit.ts';
import { onnxWriter, type OnnxWriter } from './writer.ts';

/** A forward pass written as nodes of a graph that is not finished yet. */
export interface ForwardNodes {
  writer: OnnxWriter;
  draws: RandomDraw[];
  outputs: Record<string, { name: string; shape: readonly number[]; dtype: 'float32' | 'int32' }>;
  /** Rows the pass was traced for; multiples of it in shapes stand for the rows of the batch. */
  tracedRows: number;
}

/**
 * Traces a forward pass and writes it as nodes.
 *
 * @param nameOf the name an input of the pass has in the graph; a parameter without one becomes a constant
 * @param options a prefix that makes the names of nodes unique in a graph of several passes; whether a GPU is to run it
 * @throws STEP_UNTRACEABLE with the line to change
 */
export function forwardNodes(
  spec: Pick<ForwardSpec, 'params' | 'forward'>,
  data: Record<string, DataShape>,
  nameOf: (kind: 'data' | 'param' | 'random', name: string) => string | undefined,
  { prefix = '', gpu = false }: { prefix?: string; gpu?: boolean } = {},
): ForwardNodes {
  const rows = rowMarker(spec.params, data);
  const traced = traceForward(spec.forward, data, spec.params, rows);
  const graph = optimise(traced);
  const w = onnxWriter(prefix, { dynamic: { rows, of: nameOf('data', Object.keys(data)[0]!)! }, gpu });
  for (const node of graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    const given = nameOf(kind, name);
    if (given !== undefined) w.bind(node.output, given);
    else {
      const { values, shape } = spec.params[name]!;
      w.bind(node.output, w.tensor(values, shape));
    }
  }
  emitNodes(w, graph.nodes);
  return {
    writer: w,
    draws: traced.draws,
    outputs: Object.fromEntries(
      Object.entries(graph.outputs).map(([name, value]) => [
        name,
        {
          name: w.nameOf(value),
          shape: value.shape,
          dtype: value.dtype === 'int32' ? ('int32' as const) : ('float32' as const),
        },
      ]),
    ),
    tracedRows: rows,
  };
}
