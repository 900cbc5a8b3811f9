import type { StepGraph } from '../compiled/training.ts';
import { emitStep, stateTensors } from './emit-step.ts';
import { encodeModel, type ValueInfoProto } from './proto.ts';
import { onnxWriter, valueInfo } from './writer.ts';

/**
 * A slice of an epoch as one ONNX model: a Loop whose body is a training step.
 *
 * Inputs: `data/NAME [n, …]`, `rows [steps, batch]` int32, `random/N [steps, …]`, `scalars [steps, 3]`,
 * `frozen/NAME`, `params/N`, `m/N`, `v/N` for every group of parameters, `buffers/N`, `steps` int64. Outputs:
 * `params/N.out`, `m/N.out`, `v/N.out`, `buffers/N.out`, `losses [steps]`.
 */
export function trainingModel(spec: StepGraph): Uint8Array {
  const states = stateTensors(spec);
  const body = onnxWriter('b');
  const pick = (name: string) => body.node('Gather', [name, 'b.step'], { axis: 0 });
  const { next, loss } = emitStep(body, spec, {
    rows: pick('rows'),
    scalars: pick('scalars'),
    random: (index) => pick(`random/${index}`),
    state: (name) => `b.${name}`,
  });
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
    ...fixedInputs(spec),
    ...spec.draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', ['steps', ...draw.shape])),
  ];
  return encodeModel(main.graph('training', inputs, outputs));
}

/** What every model of a training is given beside the numbers of its steps. */
export const fixedInputs = (spec: StepGraph): ValueInfoProto[] => [
  ...stateTensors(spec).map(({ name, shape }) => valueInfo(name, 'float32', shape)),
  ...Object.entries(spec.data).map(([name, a]) => valueInfo(`data/${name}`, a.dtype, ['n', ...a.rowShape])),
  ...spec.frozen.slices.map((p) => valueInfo(`frozen/${p.name}`, 'float32', p.shape)),
];
