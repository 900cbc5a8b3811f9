/** Element types of the intermediate representation. */
export type IrType = 'float32' | 'int32' | 'bool';

export interface ReduceAttrs {
  /** Sorted, not negative. */
  axes: number[];
  keepDims: boolean;
}

/** Geometry of a convolution or pooling over `[n, h, w, c]`; padding is explicit. */
export interface WindowAttrs {
  strides: [number, number];
  dilations: [number, number];
  /** top, bottom, left, right */
  pads: [number, number, number, number];
}

export interface ResizeAttrs {
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

type None = Record<string, never>;

/**
 * Every operation and its attributes. Operations carry tfjs' meaning (rows of images are `[n, h, w, c]`), with the
 * attributes in one normal form: axes not negative, shapes and paddings explicit.
 */
export interface OpAttrs {
  /** What a graph gets from outside: batches, parameters, random numbers. */
  Input: { kind: 'data' | 'param' | 'random'; name: string };
  /** `values` of the whole shape, or one number for all of it. */
  Constant: { values: number | Float32Array | Int32Array | Uint8Array };

  Abs: None;
  Neg: None;
  Exp: None;
  Expm1: None;
  Log: None;
  Log1p: None;
  Sqrt: None;
  Rsqrt: None;
  Reciprocal: None;
  Square: None;
  Sigmoid: None;
  Tanh: None;
  Relu: None;
  Elu: None;
  Selu: None;
  Softplus: None;
  Erf: None;
  Sign: None;
  Floor: None;
  Ceil: None;
  Round: None;
  Sin: None;
  Cos: None;
  LogicalNot: None;
  IsNan: None;
  /** 1 where x > 0, else alpha; NaN stays NaN. */
  Step: { alpha: number };
  LeakyRelu: { alpha: number };
  Clip: { min: number; max: number };
  Cast: { dtype: IrType };

  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  FloorDiv: None;
  Mod: None;
  Maximum: None;
  Minimum: None;
  Pow: None;
  SquaredDifference: None;
  Greater: None;
  GreaterEqual: None;
  Less: None;
  LessEqual: None;
  Equal: None;
  NotEqual: None;
  LogicalAnd: None;
  LogicalOr: None;
  /** (dy, y): dy · (y ≥ 0 ? 1 : y + 1). */
  EluGrad: None;
  /** (dy, x): dy where x > 0, else 0. */
  ReluGrad: None;
  /** (condition, then, else). */
  Select: None;

  Sum: ReduceAttrs;
  Mean: ReduceAttrs;
  Max: ReduceAttrs;
  Min: ReduceAttrs;
  Prod: ReduceAttrs;
  Any: ReduceAttrs;
  All: ReduceAttrs;
  ArgMax: { axis: number };
  /** Over the last axis. */
  Softmax: None;

  MatMul: { transposeA: boolean; transposeB: boolean };
  /** (a `[m, k]`, b `[k, n]`, bias `[n]`) before transposition. */
  Dense: { transposeA: boolean; transposeB: boolean };

  Reshape: None;
  BroadcastTo: None;
  Transpose: { perm: number[] };
  Concat: { axis: number };
  Slice: { begin: number[]; size: number[] };
  Pad: { paddings: [number, number][]; value: number };
  Tile: { reps: number[] };
  Reverse: { axes: number[] };
  Gather: { axis: number };
  /** (x, ids) summed into `count` rows. */
  SegmentSum: { count: number };
  OneHot: { depth: number; on: number; off: number };

  /** (x `[n, h, w, c]`, filter `[fh, fw, c, k]`). */
  Conv2D: WindowAttrs;
  /** (dy, filter) → gradient of x. */
  Conv2DInputGrad: WindowAttrs;
  /** (x, dy) → gradient of filter. */
  Conv2DFilterGrad: WindowAttrs;
  /** (x, filter `[fh, fw, c, m]`). */
  DepthwiseConv2D: WindowAttrs;
  DepthwiseInputGrad: WindowAttrs;
  DepthwiseFilterGrad: WindowAttrs;
  MaxPool: WindowAttrs & { size: [number, number] };
  /** (dy, x, y). */
  MaxPoolGrad: WindowAttrs & { size: [number, number] };
  /** Padding counts for nothing: the mean is over real cells. */
  AvgPool: WindowAttrs & { size: [number, number] };
  /** (dy). */
  AvgPoolGrad: WindowAttrs & { size: [number, number] };
  ResizeNearest: ResizeAttrs;
  /** (dy) → gradient of the image. */
  ResizeNearestGrad: ResizeAttrs;
  ResizeBilinear: ResizeAttrs;
  ResizeBilinearGrad: ResizeAttrs;
}

export type OpName = keyof OpAttrs;

/** One tensor of a graph. */
export interface Value {
  id: number;
  shape: readonly number[];
  dtype: IrType;
  /** What computes it. */
  node: Node;
}

/** One operation; every operation has one output. */
export type Node = { [O in OpName]: NodeOf<O> }[OpName];

export interface NodeOf<O extends OpName> {
  op: O;
  inputs: readonly Value[];
  attrs: OpAttrs[O];
  output: Value;
}

/** A graph in topological order with named outputs. */
export interface Graph {
  nodes: readonly Node[];
  outputs: Readonly<Record<string, Value>>;
}
