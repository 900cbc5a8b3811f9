import type { StepGraph } from '../compiled/training.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { momentNames } from '../optimizer.ts';
import { emitNodes } from './emit.ts';
import { emitOptimizer } from './emit-optimizer.ts';
import { emitConstant } from './emit-structure.ts';
import { vectorGroups, type ParamGroup, type VectorGroups } from './param-groups.ts';
import { encodeModel, type ValueInfoProto } from './proto.ts';
import { onnxWriter, valueInfo, type OnnxWriter } from './writer.ts';

/**
 * A slice of an epoch as one ONNX model: a Loop whose body is a training step.
 *
 * Inputs: `data/NAME [n, …]`, `rows [steps, batch]` int32, `random/N [steps, …]`, `scalars [steps, 3]`,
 * `frozen/NAME`, `params/N`, `m/N`, `v/N` for every group of parameters, `buffers/N`, `steps` int64. Outputs:
 * `params/N.out`, `m/N.out`, `v/N.out`, `buffers/N.out`, `losses [steps]`.
 */
export function trainingModel(spec: StepGraph): Uint8Array {
  const vectors = vectorGroups(spec);
  const [{ groups: trained }] = vectors as [VectorGroups];
  const states = vectors.flatMap(({ vector, groups }) =>
    groups.map(({ shape }, i) => ({ name: `${vector}/${i}`, shape })),
  );

  const body = onnxWriter('b');
  const pick = (name: string) => body.node('Gather', [name, 'b.step'], { axis: 0 });
  const batchRows = pick('rows');
  const scalars = pick('scalars');
  const scalarAt = (i: number) =>
    body.node('Reshape', [body.node('Slice', [scalars, body.ints([i]), body.ints([i + 1])]), body.ints([])]);
  const weights = new Map(
    vectors
      .filter(({ vector }) => vector === 'params' || vector === 'buffers')
      .flatMap(({ vector, groups }) => groups.map((group, i) => partsOf(body, `b.${vector}/${i}`, group)))
      .flatMap((names) => [...names]),
  );
  for (const node of spec.graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'data') body.bind(node.output, body.node('Gather', [`data/${name}`, batchRows], { axis: 0 }));
    else if (kind === 'random') body.bind(node.output, pick(`random/${name}`));
    else body.bind(node.output, weights.get(name) ?? `frozen/${name}`);
  }
  emitNodes(body, spec.graph.nodes);
  const updated = emitOptimizer(
    body,
    spec.optimizer,
    trained.map((group, i) => ({
      ...Object.fromEntries(momentNames(spec.optimizer).map((moment) => [moment, `b.${moment}/${i}`])),
      params: `b.params/${i}`,
      gradient: joined(body, spec.graph, 'grad', group),
      decays: group.decays,
    })),
    { rate: scalarAt(0), epsilon: scalarAt(1), decay: scalarAt(2) },
  );
  const next = vectors.flatMap(({ vector, groups }) =>
    vector === 'buffers'
      ? groups.map((group) => joined(body, spec.graph, 'next', group))
      : updated.map((one) => one[vector]!),
  );
  const loss = body.node('Reshape', [body.nameOf(spec.graph.outputs.loss!), body.ints([])]);
  const bodyOutputs: ValueInfoProto[] = [valueInfo(body.rename('b.continue', 'b.continue.out'), 'bool', [])];
  states.forEach(({ name, shape }, i) =>
    bodyOutputs.push(valueInfo(body.rename(next[i]!, `b.${name}.out`), 'float32', shape)),
  );
  bodyOutputs.push(valueInfo(body.rename(loss, 'b.loss'), 'float32', []));
  const bodyGraph = body.graph(
    'step',
    [
      valueInfo('b.step', 'int64', []),
      valueInfo('b.continue', 'bool', []),
      ...states.map(({ name, shape }) => valueInfo(`b.${name}`, 'float32', shape)),
    ],
    bodyOutputs,
  );

  const main = onnxWriter('m');
  const results = main.nodeOf(
    'Loop',
    ['steps', main.scalar(1, 'bool'), ...states.map(({ name }) => name)],
    states.length + 1,
    {
      body: bodyGraph,
    },
  );
  const outputs = states.map(({ name, shape }, i) =>
    valueInfo(main.rename(results[i]!, `${name}.out`), 'float32', shape),
  );
  outputs.push(valueInfo(main.rename(results[states.length]!, 'losses'), 'float32', ['steps']));
  const inputs = [
    valueInfo('steps', 'int64', []),
    valueInfo('rows', 'int32', ['steps', spec.rows]),
    valueInfo('scalars', 'float32', ['steps', 3]),
    ...states.map(({ name, shape }) => valueInfo(name, 'float32', shape)),
    ...Object.entries(spec.data).map(([name, a]) => valueInfo(`data/${name}`, a.dtype, ['n', ...a.rowShape])),
    ...spec.frozen.slices.map((p) => valueInfo(`frozen/${p.name}`, 'float32', p.shape)),
    ...spec.draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', ['steps', ...draw.shape])),
  ];
  return encodeModel(main.graph('training', inputs, outputs));
}

/** The tensor of a group as one of each parameter. */
function partsOf(w: OnnxWriter, tensor: string, { slices, shape }: ParamGroup): Map<string, string> {
  if (slices.length === 1 && sameShape(slices[0]!.shape, shape)) return new Map([[slices[0]!.name, tensor]]);
  const sizes = slices.map(({ start, end }) => end - start);
  const parts = sizes.length === 1 ? [tensor] : w.nodeOf('Split', [tensor, w.ints(sizes)], sizes.length, { axis: 0 });
  return new Map(slices.map(({ name, shape }, i) => [name, w.node('Reshape', [parts[i]!, w.ints(shape)])]));
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
