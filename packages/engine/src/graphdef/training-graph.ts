import type { StepGraph } from '../compiled/training.ts';
import type { Node, Value } from '../ir/graph.ts';
import { momentNames } from '../optimizer.ts';
import { emitNodes } from './emit.ts';
import { emitOptimizer, type Update } from './emit-optimizer.ts';
import { beginLoop } from './loop.ts';
import { encodeSavedModel } from './proto.ts';
import { assignEntry, read, variable, type Variable } from './variables.ts';
import { graphWriter, type GraphWriter } from './writer.ts';

/** How to call a training graph; entries are numbered in the order of data, parameters and draws. */
export interface TrainingGraph {
  /** `saved_model.pb` */
  model: Uint8Array;
  /** Names of what `state/N` and `read/N` hold: `params`, `m` or `v` of the parameter `slice`. */
  state: { vector: 'params' | 'm' | 'v'; slice: number }[];
}

/**
 * An epoch as one TensorFlow graph: data, parameters and moments are variables that stay there, a loop takes the steps,
 * and the optimizer changes the variables in place.
 *
 * Entries: `data/done` (feeds `data/N`), `frozen/done` (`frozen/N`), `state/done` (`state/N`), `read/N`, and the steps:
 * `losses` (feeds `steps` int32, `rows [steps, batch]` int32, `scalars [steps, 3]`, `random/N [steps, …]`).
 */
export function trainingGraph(step: StepGraph): TrainingGraph {
  const { layout, frozen, optimizer } = step;
  const w = graphWriter();
  const data = new Map(
    Object.entries(step.data).map(([name, { rowShape, dtype }], i) => [
      name,
      variable(w, `x${i}`, [-1, ...rowShape], dtype),
    ]),
  );
  const fixed = new Map(frozen.slices.map(({ name, shape }, i) => [name, variable(w, `frozen${i}`, shape)]));
  const params = layout.slices.map(({ shape }, i) => variable(w, `param${i}`, shape));
  const moments = momentNames(optimizer);
  const slots = Object.fromEntries(
    moments.map((moment) => [moment, layout.slices.map(({ shape }, i) => variable(w, `${moment}${i}`, shape))]),
  );
  const vectors = [
    ['params', params],
    ...moments.map((moment): [typeof moment, Variable[]] => [moment, slots[moment]!]),
  ] as const;
  assignEntry(w, 'data', [...data.values()]);
  assignEntry(w, 'frozen', [...fixed.values()]);
  const all = vectors.flatMap(([, variables]) => variables);
  assignEntry(w, 'state', all);
  all.forEach((one, i) => read(w, one, [], `read/${i}`));

  const steps = w.node('Placeholder', [], { dtype: 'int32', shape: { shape: [] } }, 'steps');
  const fed = (name: string, dtype: 'float32' | 'int32', shape: readonly number[]) =>
    w.node('Placeholder', [], { dtype, shape: { shape: [-1, ...shape] } }, name);
  const rows = fed('rows', 'int32', [step.rows]);
  const scalars = fed('scalars', 'float32', [3]);
  const random = step.draws.map(({ shape }, i) => fed(`random/${i}`, 'float32', shape));
  const losses = variable(w, 'loss', [-1]);
  const blank = w.node('Fill', [w.node('Pack', [steps], { N: 1, T: 'int32', axis: 0 }), w.scalar(0)], {
    T: 'float32',
    index_type: 'int32',
  });
  const cleared = w.node('AssignVariableOp', [losses.handle, blank], { dtype: 'float32' });

  const loop = beginLoop(w, steps, [cleared]);
  const inside = (one: Variable): Variable => ({ ...one, handle: loop.invariant(one.handle, 'resource') });
  const pick = (name: string, dtype: 'float32' | 'int32') =>
    w.node('GatherV2', [loop.invariant(name, dtype), loop.index, w.scalar(0, 'int32')], {
      Tparams: dtype,
      Tindices: 'int32',
      Taxis: 'int32',
    });
  const batch = pick(rows, 'int32');
  const weights = params.map((param) => read(w, inside(param), [loop.index]));
  const byName = new Map(layout.slices.map(({ name }, i) => [name, weights[i]!]));
  for (const node of step.graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'random') w.bind(node.output, pick(random[Number(name)]!, 'float32'));
    else if (kind === 'param') w.bind(node.output, byName.get(name) ?? read(w, inside(fixed.get(name)!), [loop.index]));
    else {
      const { handle, dtype } = inside(data.get(name)!);
      w.bind(node.output, w.node('ResourceGather', [handle, batch], { dtype, Tindices: 'int32' }));
    }
  }
  emitNodes(w, step.graph.nodes);
  const numbers = w.node('Unpack', [pick(scalars, 'float32')], { num: 3, T: 'float32', axis: 0 });
  const readers = readersOf(step.graph.nodes, w);
  const updates = layout.slices.map(({ name, shape, start, end, decays }, i): Update => {
    const gradient = step.graph.outputs[`grad/${name}`];
    return {
      param: inside(params[i]!).handle,
      ...Object.fromEntries(moments.map((moment) => [moment, inside(slots[moment]![i]!).handle])),
      value: weights[i]!,
      gradient: gradient ? w.nameOf(gradient) : w.tensor(new Float32Array(end - start), shape),
      readers: readers.get(name) ?? [],
      decays,
    };
  });
  const updated = emitOptimizer(w, optimizer, updates, {
    rate: numbers,
    epsilon: `${numbers}:1`,
    decay: `${numbers}:2`,
  });
  const loss = w.node('Reshape', [w.nameOf(step.graph.outputs.loss!), w.ints([])], { T: 'float32', Tshape: 'int32' });
  const noted = w.node('ResourceScatterUpdate', [inside(losses).handle, loop.index, loss], {
    dtype: 'float32',
    Tindices: 'int32',
  });
  const over = loop.end([...updated, noted]);
  read(w, losses, [over], 'losses');
  const state = vectors.flatMap(([vector, variables]) => variables.map((_, slice) => ({ vector, slice })));
  return { model: encodeSavedModel(w.nodes), state };
}

/** Nodes that take in each parameter: directly, or through a reshape, which shares its memory. */
function readersOf(nodes: readonly Node[], w: GraphWriter): Map<string, string[]> {
  const source = new Map<Value, string>();
  const readers = new Map<string, string[]>();
  for (const node of nodes) {
    if (node.op === 'Input') {
      if (node.attrs.kind === 'param') source.set(node.output, node.attrs.name);
      continue;
    }
    for (const input of node.inputs) {
      const name = source.get(input);
      if (name === undefined) continue;
      if (node.op === 'Reshape') source.set(node.output, name);
      readers.set(name, [...(readers.get(name) ?? []), w.nameOf(node.output).split(':')[0]!]);
    }
  }
  return readers;
}
