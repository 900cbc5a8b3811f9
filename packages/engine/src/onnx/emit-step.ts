import type { StepGraph } from '../compiled/training.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { momentNames } from '../optimizer.ts';
import { emitNodes } from './emit.ts';
import { emitOptimizer } from './emit-optimizer.ts';
import { emitConstant } from './emit-structure.ts';
import { vectorGroups, type ParamGroup, type VectorGroups } from './param-groups.ts';
import type { OnnxWriter } from './writer.ts';

/** Names, in the graph that is written, of what a step starts from. */
export interface StepSources {
  /** Rows of the data in the batch, `[batch]` int32. */
  rows: string;
  /** `[3]`, see StepCall. */
  scalars: string;
  /** Numbers of a draw, of its shape. */
  random(index: number): string;
  /** A tensor of the state, named `VECTOR/N`. */
  state(name: string): string;
  /** Outputs a Split may have: a GPU binds only so many buffers to one kernel. @default any number */
  mostOutputs?: number;
}

/** A tensor of the state of a training. */
export interface StateTensor {
  /** `VECTOR/N`. */
  name: string;
  shape: number[];
}

/** The tensors a step starts from and replaces, in order. */
export const stateTensors = (spec: Pick<StepGraph, 'layout' | 'buffers' | 'optimizer'>): StateTensor[] =>
  vectorGroups(spec).flatMap(({ vector, groups }) => groups.map(({ shape }, i) => ({ name: `${vector}/${i}`, shape })));

/** Writes one training step; data and frozen parameters are `data/NAME` and `frozen/NAME`. */
export function emitStep(
  w: OnnxWriter,
  spec: StepGraph,
  { rows, scalars, random, state, mostOutputs = Infinity }: StepSources,
): { next: string[]; loss: string } {
  const vectors = vectorGroups(spec);
  const [{ groups: trained }] = vectors as [VectorGroups];
  const scalarAt = (i: number) =>
    w.node('Reshape', [w.node('Slice', [scalars, w.ints([i]), w.ints([i + 1])]), w.ints([])]);
  const weights = new Map(
    vectors
      .filter(({ vector }) => vector === 'params' || vector === 'buffers')
      .flatMap(({ vector, groups }) =>
        groups.map((group, i) => partsOf(w, state(`${vector}/${i}`), group, mostOutputs)),
      )
      .flatMap((names) => [...names]),
  );
  for (const node of spec.graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'data') w.bind(node.output, w.node('Gather', [`data/${name}`, rows], { axis: 0 }));
    else if (kind === 'random') w.bind(node.output, random(Number(name)));
    else w.bind(node.output, weights.get(name) ?? `frozen/${name}`);
  }
  emitNodes(w, spec.graph.nodes);
  const updated = emitOptimizer(
    w,
    spec.optimizer,
    trained.map((group, i) => ({
      ...Object.fromEntries(momentNames(spec.optimizer).map((moment) => [moment, state(`${moment}/${i}`)])),
      params: state(`params/${i}`),
      gradient: joined(w, spec.graph, 'grad', group),
      decays: group.decays,
    })),
    { rate: scalarAt(0), epsilon: scalarAt(1), decay: scalarAt(2) },
  );
  const next = vectors.flatMap(({ vector, groups }) =>
    vector === 'buffers'
      ? groups.map((group) => joined(w, spec.graph, 'next', group))
      : updated.map((one) => one[vector]!),
  );
  return { next, loss: w.node('Reshape', [w.nameOf(spec.graph.outputs.loss!), w.ints([])]) };
}

/** The tensor of a group as one of each parameter. */
function partsOf(
  w: OnnxWriter,
  tensor: string,
  { slices, shape }: ParamGroup,
  mostOutputs: number,
): Map<string, string> {
  if (slices.length === 1 && sameShape(slices[0]!.shape, shape)) return new Map([[slices[0]!.name, tensor]]);
  const parts = split(
    w,
    tensor,
    slices.map(({ start, end }) => end - start),
    mostOutputs,
  );
  return new Map(slices.map(({ name, shape }, i) => [name, w.node('Reshape', [parts[i]!, w.ints(shape)])]));
}

/** Cuts a vector into pieces of these sizes; more of them than a Split may have come from several, one inside another. */
function split(w: OnnxWriter, vector: string, sizes: number[], most: number): string[] {
  if (sizes.length === 1) return [vector];
  if (sizes.length <= most) return w.nodeOf('Split', [vector, w.ints(sizes)], sizes.length, { axis: 0 });
  const each = Math.ceil(sizes.length / most);
  const chunks = Array.from({ length: Math.ceil(sizes.length / each) }, (_, i) =>
    sizes.slice(i * each, (i + 1) * each),
  );
  const pieces = split(
    w,
    vector,
    chunks.map((chunk) => chunk.reduce((sum, size) => sum + size, 0)),
    most,
  );
  return chunks.flatMap((chunk, i) => split(w, pieces[i]!, chunk, most));
}

/** Outputs `KIND/NAME` of a group as one tensor; a parameter without a gradient gets zeros. */
function joined(w: OnnxWriter, graph: Graph, kind: 'grad' | 'next', { slices, shape }: ParamGroup): string {
  const parts = slices.map((slice) => {
    const value: Value | undefined = graph.outputs[`${kind}/${slice.name}`];
    const alone = slices.length === 1 && sameShape(slice.shape, shape);
    if (!value) return emitConstant(w, 0, alone ? shape : [slice.end - slice.start], 'float32');
    return alone ? w.nameOf(value) : w.node('Reshape', [w.nameOf(value), w.ints([-1])]);
  });
  return parts.length === 1 ? parts[0]! : w.node('Concat', parts, { axis: 0 });
}
