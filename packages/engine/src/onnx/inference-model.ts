import type { ForwardSpec } from '../types.ts';
import { paramLayout } from '../flat-params.ts';
import type { RandomDraw } from '../tracer/trace-step.ts';
import type { DataShape } from '../training-data.ts';
import { forwardNodes } from './forward-nodes.ts';
import { encodeModel } from './proto.ts';
import { valueInfo } from './writer.ts';

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
  /** Whether a GPU is to run it. @default false */
  gpu?: boolean;
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
  const nameOf = (kind: 'data' | 'param' | 'random', name: string) =>
    kind === 'data' ? name : kind === 'random' || options.paramInputs ? `${kind}/${name}` : undefined;
  const nodes = forwardNodes(spec, data, nameOf, { gpu: options.gpu });
  const { writer: w, draws, tracedRows: rows } = nodes;
  const layout = paramLayout(spec.params);
  const sized = (shape: readonly number[]) =>
    shape.map((d) => (w.isDynamic(d) ? (d === rows ? 'rows' : `rows_x${d / rows}`) : d));
  const outputs: Record<string, DataShape> = {};
  const declared = Object.entries(nodes.outputs).map(([name, { name: from, shape, dtype }]) => {
    outputs[name] = { rowShape: shape.slice(1), dtype };
    return valueInfo(w.rename(from, outputName(name, data)), dtype, sized(shape));
  });
  const inputs = [
    ...Object.entries(data).map(([name, a]) => valueInfo(name, a.dtype, ['rows', ...a.rowShape])),
    ...(options.paramInputs ? layout.slices.map((p) => valueInfo(`param/${p.name}`, 'float32', p.shape)) : []),
    ...draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', sized(draw.shape))),
  ];
  const model = encodeModel(w.graph('forward', inputs, declared));
  return { model, draws, outputs, tracedRows: rows };
}

/** Outputs whose name an input has already get another: names of a graph are unique. */
export const outputName = (name: string, data: Record<string, unknown>): string =>
  name in data ? `${name}.out` : name;
