import type { IrType, Value } from '../ir/graph.ts';
import { TF_TYPES, type AttrValue, type NodeDef, type TfType } from './proto.ts';

/** Attributes as they are written here: texts that name a type stand for it. */
export type Attribute =
  TfType | number | boolean | { float: number } | { text: string } | number[] | { shape: readonly number[] };

/** Takes the nodes of one TensorFlow graph. A tensor is named after its node, `NODE:k` being output k. */
export interface GraphWriter {
  /** Adds a node, gives the name of its (first) output. Inputs that begin with `^` only say what must come before. */
  node(op: string, inputs: readonly string[], attributes?: Record<string, Attribute>, name?: string): string;
  scalar(value: number, dtype?: IrType): string;
  /** Int32 vector. */
  ints(values: readonly number[]): string;
  tensor(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): string;
  /** Constants written from now on run after this node, in its loop; or, after leave, in none. */
  enter(pivot: string): void;
  leave(): void;
  nameOf(value: Value): string;
  bind(value: Value, name: string): void;
  /** Int32 vector with the sizes of a shape. */
  shape(shape: readonly number[]): string;
  /** The same for Reshape and Slice, which work out one unknown size themselves. */
  target(shape: readonly number[]): string;
  /** Whether a size depends on the rows of a batch that are not known until the graph runs. */
  isDynamic(size: number): boolean;
  readonly nodes: readonly NodeDef[];
}

/** Sizes that are multiples of `rows` were traced for a batch of that size and are not known until the graph runs. */
export interface DynamicRows {
  rows: number;
  /** Name of a tensor with that many rows. */
  of: string;
  dtype: IrType;
}

const shapeProto = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size })) });

function attrValue(value: Attribute): AttrValue {
  if (typeof value === 'string') return { type: TF_TYPES[value] };
  if (typeof value === 'number') return { i: value };
  if (typeof value === 'boolean') return { b: value };
  if (Array.isArray(value)) return { list: { i: value } };
  if ('float' in value) return { f: value.float };
  if ('text' in value) return { s: new TextEncoder().encode(value.text) };
  return { shape: shapeProto(value.shape) };
}

export function graphWriter(dynamic?: DynamicRows): GraphWriter {
  const nodes: NodeDef[] = [];
  const constants = new Map<string, string>();
  const names = new Map<Value, string>();
  let pivot: string | undefined;
  let rowsName: string | undefined;

  const constant = (bytes: Uint8Array, shape: readonly number[], dtype: IrType, share: boolean): string => {
    const key = share ? `${dtype}[${shape.join()}]${pivot ?? ''}:${Buffer.from(bytes).toString('latin1')}` : undefined;
    const known = key === undefined ? undefined : constants.get(key);
    if (known !== undefined) return known;
    const name = writer.node('Const', pivot ? [`^${pivot}`] : [], { dtype });
    nodes.at(-1)!.attr.value = {
      tensor: { dtype: TF_TYPES[dtype], tensorShape: shapeProto(shape), tensorContent: bytes },
    };
    if (key !== undefined) constants.set(key, name);
    return name;
  };
  const bytesOf = (values: Float32Array | Int32Array | Uint8Array) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

  const writer: GraphWriter = {
    nodes,
    node(op, inputs, attributes = {}, name = `n${nodes.length}`) {
      const attr = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attrValue(value)]));
      // Inputs that only order come last.
      const data = inputs.filter((input) => !input.startsWith('^'));
      const order = new Set(inputs.filter((input) => input.startsWith('^')));
      nodes.push({ name, op, input: [...data, ...order], attr });
      return name;
    },
    scalar(value, dtype = 'float32') {
      const typed =
        dtype === 'float32'
          ? Float32Array.of(value)
          : dtype === 'int32'
            ? Int32Array.of(value)
            : Uint8Array.of(value ? 1 : 0);
      return constant(bytesOf(typed), [], dtype, true);
    },
    ints: (values) => constant(bytesOf(Int32Array.from(values)), [values.length], 'int32', true),
    tensor(values, shape) {
      const dtype = values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
      return constant(bytesOf(values), shape, dtype, false);
    },
    enter: (name) => void (pivot = name),
    leave: () => void (pivot = undefined),
    nameOf(value) {
      const name = names.get(value);
      if (name === undefined) throw new Error(`value ${value.id} of ${value.node.op} has no name yet`);
      return name;
    },
    bind: (value, name) => void names.set(value, name),
    isDynamic: (size) => dynamic !== undefined && size > 0 && size % dynamic.rows === 0,
    shape(shape) {
      if (!shape.some(writer.isDynamic)) return writer.ints(shape);
      if (rowsName === undefined) {
        const whole = writer.node('Shape', [dynamic!.of], { T: dynamic!.dtype, out_type: 'int32' });
        const parts = [whole, writer.ints([0]), writer.ints([1]), writer.ints([1])];
        rowsName = writer.node('StridedSlice', parts, { T: 'int32', Index: 'int32', shrink_axis_mask: 1 });
      }
      const sizes = shape.map((d) => {
        if (!writer.isDynamic(d)) return writer.scalar(d, 'int32');
        const factor = d / dynamic!.rows;
        return factor === 1
          ? rowsName!
          : writer.node('Mul', [rowsName!, writer.scalar(factor, 'int32')], { T: 'int32' });
      });
      return writer.node('Pack', sizes, { N: sizes.length, T: 'int32', axis: 0 });
    },
    target(shape) {
      if (shape.filter(writer.isDynamic).length !== 1) return writer.shape(shape);
      return writer.ints(shape.map((d) => (writer.isDynamic(d) ? -1 : d)));
    },
  };
  return writer;
}
