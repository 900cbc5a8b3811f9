import type { ForwardSpec } from '../types.ts';
import { paramLayout } from '../flat-params.ts';
import { optimise } from '../passes/optimise.ts';
import { rowMarker } from '../tracer/row-marker.ts';
import { traceForward, type DataShape, type RandomDraw } from '../tracer/trace-step.ts';
import { emitNodes } from './emit.ts';
import { encodeModel } from './proto.ts';
import { onnxWriter, valueInfo } from './writer.ts';

/** A forward pass as ONNX, for batches of any size. */
export interface InferenceModel {
  model: Uint8Array;
  draws: RandomDraw[];
  /** Type and shape of a row of each output. */
  outputs: Record<string, DataShape>;
  /** Rows the graph was traced for; multiples of it in shapes of draws stand for the rows of the batch. */
  tracedRows: number;
}

export interface InferenceModelOptions {
  /** Parameters as inputs `param/NAME` instead of constants inside. @default false */
  paramInputs?: boolean;
  metadata?: Record<string, string>;
}

/**
 * Writes a forward pass as an ONNX model. Inputs carry the names of the data, `[rows, …]`; outputs those of the forward
 * function; random numbers are inputs `random/N`.
 *
 * @throws STEP_UNTRACEABLE with the line to change
 */
export function inferenceModel(
  spec: Pick<ForwardSpec, 'params' | 'forward'>,
  data: Record<string, DataShape>,
  options: InferenceModelOptions = {},
): InferenceModel {
  const rows = rowMarker(spec.params, data);
  const traced = traceForward(spec.forward, data, spec.params, rows);
  const graph = optimise(traced);
  const first = Object.keys(data)[0]!;
  const w = onnxWriter('', { rows, of: first });
  const layout = paramLayout(spec.params);
  const sized = (shape: readonly number[]) =>
    shape.map((d) => (w.isDynamic(d) ? (d === rows ? 'rows' : `rows_x${d / rows}`) : d));
  for (const node of graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'param' && !options.paramInputs) {
      const { values, shape } = spec.params[name]!;
      w.bind(node.output, w.tensor(values, shape));
    } else w.bind(node.output, kind === 'data' ? name : `${kind}/${name}`);
  }
  emitNodes(w, graph.nodes);
  const outputs: Record<string, DataShape> = {};
  const declared = Object.entries(graph.outputs).map(([name, value]) => {
    const dtype = value.dtype === 'int32' ? 'int32' : 'float32';
    outputs[name] = { rowShape: value.shape.slice(1), dtype };
    return valueInfo(w.rename(w.nameOf(value), outputName(name, data)), dtype, sized(value.shape));
  });
  const inputs = [
    ...Object.entries(data).map(([name, a]) => valueInfo(name, a.dtype, ['rows', ...a.rowShape])),
    ...(options.paramInputs ? layout.slices.map((p) => valueInfo(`param/${p.name}`, 'float32', p.shape)) : []),
    ...traced.draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', sized(draw.shape))),
  ];
  const model = encodeModel(w.graph('forward', inputs, declared), options.metadata);
  return { model, draws: traced.draws, outputs, tracedRows: rows };
}

/** Outputs whose name an input has already get another: names of a graph are unique. */
export const outputName = (name: string, data: Record<string, unknown>): string =>
  name in data ? `${name}.out` : name;
