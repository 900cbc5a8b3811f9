import { stateVectors, type StateVector, type StepGraph } from '../compiled/training.ts';
import type { ParamSlice } from '../flat-params.ts';
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
  /** What `state/N` and `read/N` hold: the part `slice` of a vector. */
  state: { vector: StateVector; slice: ParamSlice }[];
}

/**
 * An epoch as one TensorFlow graph: data, parameters and moments are variables that stay there, a loop takes the steps,
 * and the optimizer changes the variables in place.
 *
 * Entries: `data/done` (feeds `data/N`), `picked/N` (rows `pick` int32 of the data), `frozen/done` (`frozen/N`), `state/done` (`state/N`), `read/N`, and the steps:
 * `losses` (feeds `steps` int32, `rows [steps, batch]` int32, `scalars [steps, 3]`, `random/N [steps, …]`).
 */
export function trainingGraph(step: StepGraph): TrainingGraph {
  const { layout, buffers, frozen, optimizer } = step;
  const w = graphWriter();
  const data = new Map(
    Object.entries(step.data).map(([name, { rowShape, dtype }], i) => [
      name,
      variable(w, `x${i}`, [-1, ...rowShape], dtype),
    ]),
  );
  const fixed = new Map(frozen.slices.map(({ name, shape }, i) => [name, variable(w, `frozen${i}`, shape)]));
  const vectors = stateVectors(step).map(([vector, { slices }]) => ({
    vector,
    slices,
    variables: slices.map(({ shape }, i) => variable(w, `${vector}${i}`, shape)),
  }));
  const variablesOf = (vector: StateVector) => vectors.find((one) => one.vector === vector)?.variables ?? [];
  const moments = momentNames(optimizer);
  assignEntry(w, 'data', [...data.values()]);
  const chosen = w.node('Placeholder', [], { dtype: 'int32', shape: { shape: [-1] } }, 'pick');
  [...data.values()].forEach(({ handle, dtype }, i) =>
    w.node('ResourceGather', [handle, chosen], { dtype, Tindices: 'int32' }, `picked/${i}`),
  );
  assignEntry(w, 'frozen', [...fixed.values()]);
  const all = vectors.flatMap(({ variables }) => variables);
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
  const now = (vector: StateVector) => variablesOf(vector).map((one) => read(w, inside(one), [loop.index]));
  const [weights, kept] = [now('params'), now('buffers')];
  const byName = new Map([
    ...layout.slices.map(({ name }, i) => [name, weights[i]!] as const),
    ...buffers.slices.map(({ name }, i) => [name, kept[i]!] as const),
  ]);
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
      param: inside(variablesOf('params')[i]!).handle,
      ...Object.fromEntries(moments.map((moment) => [moment, inside(variablesOf(moment)[i]!).handle])),
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
  const replaced = buffers.slices.map(({ name }, i) => {
    const after = (readers.get(name) ?? []).map((node) => `^${node}`);
    const next = w.nameOf(step.graph.outputs[`next/${name}`]!);
    return w.node('AssignVariableOp', [inside(variablesOf('buffers')[i]!).handle, next, ...after], {
      dtype: 'float32',
    });
  });
  const loss = w.node('Reshape', [w.nameOf(step.graph.outputs.loss!), w.ints([])], { T: 'float32', Tshape: 'int32' });
  const noted = w.node('ResourceScatterUpdate', [inside(losses).handle, loop.index, loss], {
    dtype: 'float32',
    Tindices: 'int32',
  });
  const over = loop.end([...updated, ...replaced, noted]);
  read(w, losses, [over], 'losses');
  const state = vectors.flatMap(({ vector, slices }) => slices.map((slice) => ({ vector, slice })));
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
