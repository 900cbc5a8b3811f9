import type { StepGraph } from '../compiled/training.ts';
import type { ParamLayout } from '../flat-params.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { momentNames } from '../optimizer.ts';
import { emitNodes } from './emit.ts';
import { emitOptimizer } from './emit-optimizer.ts';
import { encodeModel, type ValueInfoProto } from './proto.ts';
import { onnxWriter, valueInfo, type OnnxWriter } from './writer.ts';

/**
 * A slice of an epoch as one ONNX model: a Loop whose body is a training step.
 *
 * Inputs: `data/NAME [n, …]`, `rows [steps, batch]` int32, `random/N [steps, …]`, `scalars [steps, 3]`,
 * `frozen/NAME`, `params [p]`, `m [p]`, `v [p]`, `steps` int64. Outputs: `params.out`, `m.out`, `v.out`, `losses [steps]`.
 */
export function trainingModel(spec: StepGraph): Uint8Array {
  const { layout, optimizer } = spec;
  const moments = momentNames(optimizer);
  const states = ['params', ...moments];
  const flat = [layout.size];

  const body = onnxWriter('b');
  const pick = (name: string) => body.node('Gather', [name, 'b.step'], { axis: 0 });
  const batchRows = pick('rows');
  const scalars = pick('scalars');
  const scalarAt = (i: number) =>
    body.node('Reshape', [body.node('Slice', [scalars, body.ints([i]), body.ints([i + 1])]), body.ints([])]);
  const weights = splitParams(body, 'b.params', layout);
  for (const node of spec.graph.nodes) {
    if (node.op !== 'Input') continue;
    const { kind, name } = node.attrs;
    if (kind === 'data') body.bind(node.output, body.node('Gather', [`data/${name}`, batchRows], { axis: 0 }));
    else if (kind === 'random') body.bind(node.output, pick(`random/${name}`));
    else body.bind(node.output, weights.get(name) ?? `frozen/${name}`);
  }
  emitNodes(body, spec.graph.nodes);
  const next = emitOptimizer(body, optimizer, {
    params: 'b.params',
    m: 'b.m',
    v: 'b.v',
    ...(moments.includes('m') ? {} : { m: undefined }),
    gradient: flatGradient(body, spec.graph, layout),
    rate: scalarAt(0),
    epsilon: scalarAt(1),
    decay: scalarAt(2),
    decayMask: optimizer.weightDecay > 0 ? decayMask(body, layout) : undefined,
  });
  const loss = body.node('Reshape', [body.nameOf(spec.graph.outputs.loss!), body.ints([])]);
  const bodyOutputs: ValueInfoProto[] = [valueInfo(body.rename('b.continue', 'b.continue.out'), 'bool', [])];
  for (const state of states)
    bodyOutputs.push(valueInfo(body.rename(next[state as 'params']!, `b.${state}.out`), 'float32', flat));
  bodyOutputs.push(valueInfo(body.rename(loss, 'b.loss'), 'float32', []));
  const bodyGraph = body.graph(
    'step',
    [
      valueInfo('b.step', 'int64', []),
      valueInfo('b.continue', 'bool', []),
      ...states.map((state) => valueInfo(`b.${state}`, 'float32', flat)),
    ],
    bodyOutputs,
  );

  const main = onnxWriter('m');
  const results = main.nodeOf('Loop', ['steps', main.scalar(1, 'bool'), ...states], states.length + 1, {
    body: bodyGraph,
  });
  const outputs = states.map((state, i) => valueInfo(main.rename(results[i]!, `${state}.out`), 'float32', flat));
  outputs.push(valueInfo(main.rename(results[states.length]!, 'losses'), 'float32', ['steps']));
  const inputs = [
    valueInfo('steps', 'int64', []),
    valueInfo('rows', 'int32', ['steps', spec.rows]),
    valueInfo('scalars', 'float32', ['steps', 3]),
    ...states.map((state) => valueInfo(state, 'float32', flat)),
    ...Object.entries(spec.data).map(([name, a]) => valueInfo(`data/${name}`, a.dtype, ['n', ...a.rowShape])),
    ...spec.frozen.slices.map((p) => valueInfo(`frozen/${p.name}`, 'float32', p.shape)),
    ...spec.draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', ['steps', ...draw.shape])),
  ];
  return encodeModel(main.graph('training', inputs, outputs));
}

/** The flat vector as one tensor a parameter. */
function splitParams(w: OnnxWriter, params: string, layout: ParamLayout): Map<string, string> {
  const sizes = layout.slices.map(({ start, end }) => end - start);
  const parts = sizes.length === 1 ? [params] : w.nodeOf('Split', [params, w.ints(sizes)], sizes.length, { axis: 0 });
  return new Map(layout.slices.map(({ name, shape }, i) => [name, w.node('Reshape', [parts[i]!, w.ints(shape)])]));
}

/** Gradients as one vector; a parameter without one gets zeros. */
function flatGradient(w: OnnxWriter, graph: Graph, layout: ParamLayout): string {
  const parts = layout.slices.map(({ name, start, end }) => {
    const value: Value | undefined = graph.outputs[`grad/${name}`];
    if (!value) return w.tensor(new Float32Array(end - start), [end - start]);
    return w.node('Reshape', [w.nameOf(value), w.ints([-1])]);
  });
  return parts.length === 1 ? parts[0]! : w.node('Concat', parts, { axis: 0 });
}

function decayMask(w: OnnxWriter, layout: ParamLayout): string | undefined {
  const mask = new Float32Array(layout.size);
  for (const { start, end, decays } of layout.slices) if (decays) mask.fill(1, start, end);
  return w.tensor(mask, [layout.size]);
}
