import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';

/** One call of a tfjs kernel, its tensors replaced by values of the graph under construction. */
export interface KernelCall {
  build: Builder;
  /** By name; of kernels that take a list, by position. */
  inputs: Record<string, Value>;
  attrs: Record<string, unknown>;
}

/** Writes a kernel as nodes of the graph; kernels with several outputs give a list. */
export type Lowering = (call: KernelCall) => Value | Value[];

/** A kernel call that no graph can hold; the tracer adds where it happened. */
export class Untraceable extends Error {}
