import { HourglassError } from '@hourglass/core';
import type { DataShape } from '../training-data.ts';
import type { ForwardSpec } from '../types.ts';
import { forwardNodes } from './forward-nodes.ts';
import type { ONNX_TYPES } from './proto.ts';
import { encodeModel, type GraphProto, type ValueInfoProto } from './proto.ts';
import { onnxWriter, valueInfo, type OnnxWriter } from './writer.ts';

/** Element types of ONNX tensors. */
export type OnnxType = keyof typeof ONNX_TYPES;

/** Makes one ONNX model (operator set 18) from nodes of one's own and traced forward passes, for any number of rows. */
export interface OnnxModelBuilder extends Pick<
  OnnxWriter,
  'node' | 'nodeOf' | 'mlNode' | 'ints' | 'scalar' | 'tensor'
> {
  /** Declares an input `[rows, …rowShape]`, a text naming a size that varies; gives its name. */
  input(name: string, dtype: OnnxType, rowShape: (number | string)[]): string;
  /** Declares an output `[rows, …rowShape]`. One with the name of an input is called `NAME.out`. @returns its name */
  output(name: string, from: string, dtype: OnnxType, rowShape: (number | string)[]): string;
  /**
   * The nodes of a forward pass, its parameters inside.
   * @param data where each input of the pass comes from
   * @returns names of its outputs
   * @throws STEP_UNTRACEABLE an operation ONNX cannot express, or random numbers
   */
  pass(
    spec: Pick<ForwardSpec, 'params' | 'forward'>,
    data: Record<string, DataShape & { from: string }>,
  ): Record<string, string>;
  /** The file. `metadata` is kept in it as keys and values. */
  encode(metadata?: Record<string, string>): Uint8Array;
}

export function onnxModelBuilder(name: string): OnnxModelBuilder {
  const own = onnxWriter('n');
  const passes: OnnxWriter[] = [];
  const order: (() => GraphProto['node'])[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const taken = new Set<string>();
  let written = 0;
  const nodesOf = (writer: OnnxWriter) => writer.graph(name, [], []).node;
  // Nodes of a graph stand in the order they compute: those written by hand since the last pass come before the next.
  const flush = (): void => {
    const from = written;
    const to = (written = nodesOf(own).length);
    order.push(() => nodesOf(own).slice(from, to));
  };
  const { node, nodeOf, mlNode, ints, scalar, tensor } = own;
  return {
    node,
    nodeOf,
    mlNode,
    ints,
    scalar,
    tensor,
    input(column, dtype, rowShape) {
      taken.add(column);
      inputs.push(valueInfo(column, dtype, ['rows', ...rowShape]));
      return column;
    },
    output(wished, from, dtype, rowShape) {
      const free = taken.has(wished) ? `${wished}.out` : wished;
      taken.add(free);
      outputs.push(valueInfo(own.rename(from, free), dtype, ['rows', ...rowShape]));
      return free;
    },
    pass(spec, data) {
      flush();
      const nodes = forwardNodes(
        spec,
        data,
        (kind, input) => (kind === 'data' ? data[input]!.from : kind === 'random' ? input : undefined),
        { prefix: `p${passes.length}/` },
      );
      if (nodes.draws.length > 0)
        throw new HourglassError(
          'STEP_UNTRACEABLE',
          'The forward pass draws random numbers: a model file gives the same answer each time. Draw only while context.training is true.',
        );
      passes.push(nodes.writer);
      order.push(() => nodesOf(nodes.writer));
      return Object.fromEntries(Object.entries(nodes.outputs).map(([key, { name: from }]) => [key, from]));
    },
    encode(metadata) {
      flush();
      const graph = own.graph(name, inputs, outputs);
      return encodeModel(
        {
          ...graph,
          node: order.flatMap((nodes) => nodes()),
          initializer: [own, ...passes].flatMap((writer) => writer.graph(name, [], []).initializer),
        },
        metadata,
      );
    },
  };
}
