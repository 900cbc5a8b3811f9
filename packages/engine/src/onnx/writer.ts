import type { Value } from '../ir/graph.ts';
import {
  ML_DOMAIN,
  ONNX_TYPES,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.ts';

export type Attribute = number | number[] | string | GraphProto | { float: number } | { strings: readonly string[] };

/** Takes the nodes of one ONNX graph; a body of a Loop has a writer of its own and may use names of the graph around it. */
export interface OnnxWriter {
  /** Whether the graph is for a GPU, for which onnxruntime lacks some operations. */
  readonly gpu: boolean;
  /** Adds a node, gives the name of its (first) output. */
  node(opType: string, inputs: string[], attributes?: Record<string, Attribute>): string;
  /** Adds a node with several outputs. */
  nodeOf(opType: string, inputs: string[], outputs: number, attributes?: Record<string, Attribute>): string[];
  /** Adds a node of the operators on raw data (`LabelEncoder`). */
  mlNode(opType: string, inputs: string[], attributes: Record<string, Attribute>): string;
  /** Gives an output a name of its own. */
  rename(from: string, to: string): string;
  ints(values: number[]): string;
  scalar(value: number, dtype?: 'float32' | 'float64' | 'int32' | 'bool' | 'int64'): string;
  tensor(values: Float32Array | Float64Array | Int32Array | Uint8Array, dims: readonly number[]): string;
  /** Name that stands for a value of the intermediate representation. */
  nameOf(value: Value): string;
  bind(value: Value, name: string): void;
  /** Int64 tensor with the sizes of a shape. */
  shape(shape: readonly number[]): string;
  /** The same for Reshape, which works out one unknown size itself. */
  reshapeTarget(shape: readonly number[]): string;
  /** Size along an axis as an end for Slice. */
  isDynamic(size: number): boolean;
  graph(name: string, inputs: ValueInfoProto[], outputs: ValueInfoProto[]): GraphProto;
}

/** Sizes that are multiples of `rows` were traced for a batch of that size and are not known until the graph runs. */
export interface DynamicRows {
  rows: number;
  /** Name of a tensor with that many rows. */
  of: string;
}

export const INT64_MAX = Number.MAX_SAFE_INTEGER;

const ATTRIBUTE = { float: 1, int: 2, string: 3, graph: 5, ints: 7, strings: 8 } as const;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE.string, s: utf8(value) };
  if (Array.isArray(value)) return { name, type: ATTRIBUTE.ints, ints: value };
  if ('strings' in value) return { name, type: ATTRIBUTE.strings, strings: value.strings.map(utf8) };
  if ('float' in value) return { name, type: ATTRIBUTE.float, f: value.float };
  return { name, type: ATTRIBUTE.graph, g: value };
}

const int64Bytes = (values: number[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(values, (v) => (v === INT64_MAX ? 2n ** 63n - 1n : BigInt(v))).buffer);

/**
 * @param prefix makes names unique across the graphs of one model
 * @param options sizes that are not known yet, and whether a GPU is to run the graph
 */
export function onnxWriter(
  prefix = '',
  { dynamic, gpu = false }: { dynamic?: DynamicRows; gpu?: boolean } = {},
): OnnxWriter {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const constants = new Map<string, string>();
  const names = new Map<Value, string>();
  /** Outputs of nodes, and the names some of them are to have in the end. */
  const produced = new Set<string>();
  const finals = new Map<string, string>();
  const final = (name: string): string => finals.get(name) ?? name;
  let count = 0;
  const fresh = () => `${prefix}${count++}`;
  let rowsName: string | undefined;

  const initializer = (key: string | undefined, dims: readonly number[], dataType: number, rawData: Uint8Array) => {
    const known = key === undefined ? undefined : constants.get(key);
    if (known !== undefined) return known;
    const name = `${prefix}c${initializers.length}`;
    initializers.push({ name, dims: [...dims], dataType, rawData });
    if (key !== undefined) constants.set(key, name);
    return name;
  };

  const writer: OnnxWriter = {
    gpu,
    node: (opType, inputs, attributes) => writer.nodeOf(opType, inputs, 1, attributes)[0]!,
    nodeOf(opType, inputs, outputs, attributes = {}) {
      const output = Array.from({ length: outputs }, fresh);
      const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
      nodes.push({ opType, input: inputs, output, attribute });
      for (const name of output) produced.add(name);
      return output;
    },
    mlNode(opType, inputs, attributes) {
      const output = writer.node(opType, inputs, attributes);
      nodes.at(-1)!.domain = ML_DOMAIN;
      return output;
    },
    rename(from, to) {
      // An output of a node has the new name everywhere; anything else, and a second name, is passed on.
      if (produced.has(from) && !finals.has(from)) finals.set(from, to);
      else nodes.push({ opType: 'Identity', input: [from], output: [to], attribute: [] });
      return to;
    },
    ints: (values) => initializer(`ints:${values.join()}`, [values.length], ONNX_TYPES.int64, int64Bytes(values)),
    scalar(value, dtype = 'float32') {
      const key = `${dtype}:${Object.is(value, -0) ? '-0' : value}`;
      if (dtype === 'int64') return initializer(key, [], ONNX_TYPES.int64, int64Bytes([value]));
      const typed =
        dtype === 'float32'
          ? Float32Array.of(value)
          : dtype === 'float64'
            ? Float64Array.of(value)
            : dtype === 'int32'
              ? Int32Array.of(value)
              : Uint8Array.of(value);
      return initializer(key, [], ONNX_TYPES[dtype], new Uint8Array(typed.buffer));
    },
    tensor(values, dims) {
      const type =
        values instanceof Float32Array
          ? 'float32'
          : values instanceof Float64Array
            ? 'float64'
            : values instanceof Int32Array
              ? 'int32'
              : 'bool';
      return initializer(
        undefined,
        dims,
        ONNX_TYPES[type],
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      );
    },
    nameOf(value) {
      const name = names.get(value);
      if (name === undefined) throw new Error(`value ${value.id} of ${value.node.op} has no name yet`);
      return name;
    },
    bind: (value, name) => void names.set(value, name),
    isDynamic: (size) => dynamic !== undefined && size > 0 && size % dynamic.rows === 0,
    shape(shape) {
      if (!shape.some(writer.isDynamic)) return writer.ints([...shape]);
      rowsName ??= writer.node('Shape', [dynamic!.of], { start: 0, end: 1 });
      const parts = shape.map((d) => {
        if (!writer.isDynamic(d)) return writer.ints([d]);
        const factor = d / dynamic!.rows;
        return factor === 1 ? rowsName! : writer.node('Mul', [rowsName!, writer.ints([factor])]);
      });
      return parts.length === 1 ? parts[0]! : writer.node('Concat', parts, { axis: 0 });
    },
    reshapeTarget(shape) {
      if (shape.filter(writer.isDynamic).length !== 1) return writer.shape(shape);
      return writer.ints(shape.map((d) => (writer.isDynamic(d) ? -1 : d)));
    },
    graph: (name, input, output) => ({
      name,
      node: nodes.map((node) => ({ ...node, input: node.input.map(final), output: node.output.map(final) })),
      initializer: initializers,
      input,
      output,
    }),
  };
  return writer;
}

/** Declares an input or output; sizes left out are unknown, texts name a size that varies. */
export const valueInfo = (
  name: string,
  dtype: keyof typeof ONNX_TYPES,
  shape: readonly (number | string)[],
): ValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: ONNX_TYPES[dtype],
      shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) },
    },
  },
});
