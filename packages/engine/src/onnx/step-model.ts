import type { StepGraph } from '../compiled/training.ts';
import { emitStep, stateTensors } from './emit-step.ts';
import { encodeModel } from './proto.ts';
import { fixedInputs } from './training-model.ts';
import { onnxWriter, valueInfo } from './writer.ts';

/** WebGPU promises eight storage buffers to a kernel; one of them is what a Split reads. */
const MOST_OUTPUTS = 7;

/**
 * One training step as an ONNX model, for devices whose memory keeps the state between calls.
 *
 * Inputs: those of the model of a slice, without their axis of steps: `rows [batch]`, `random/N`, `scalars [3]`, and no
 * `steps`. Outputs: `params/N.out`, `m/N.out`, `v/N.out`, `buffers/N.out`, `loss`.
 */
export function stepModel(spec: StepGraph): Uint8Array {
  const w = onnxWriter('', { gpu: true });
  const { next, loss } = emitStep(w, spec, {
    rows: 'rows',
    scalars: 'scalars',
    random: (index) => `random/${index}`,
    state: (name) => name,
    mostOutputs: MOST_OUTPUTS,
  });
  const outputs = stateTensors(spec).map(({ name, shape }, i) =>
    valueInfo(w.rename(next[i]!, `${name}.out`), 'float32', shape),
  );
  outputs.push(valueInfo(w.rename(loss, 'loss'), 'float32', []));
  const inputs = [
    valueInfo('rows', 'int32', [spec.rows]),
    valueInfo('scalars', 'float32', [3]),
    ...fixedInputs(spec),
    ...spec.draws.map((draw, i) => valueInfo(`random/${i}`, 'float32', [...draw.shape])),
  ];
  return encodeModel(w.graph('step', inputs, outputs));
}
