import { compiledForward } from '../compiled/forward.ts';
import { inferenceGraph } from '../graphdef/inference-graph.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { openSession } from './session.ts';

/** A forward pass run by TensorFlow, its parameters staying there. */
export const tensorflowForward = (spec: ForwardSpec): CompiledForward =>
  compiledForward(spec, async (data, layout) => {
    const { model, ...inference } = inferenceGraph(spec, data);
    const session = openSession(model, `batches of ${spec.batchSize ?? 4096} rows`);
    const fetches = Object.keys(inference.outputs).map((_, i) => `out/${i}`);
    const numbered = (prefix: string, arrays: DataArray[]) =>
      Object.fromEntries(arrays.map((a, i) => [`${prefix}/${i}`, a]));
    return {
      ...inference,
      run: async (batch, random) =>
        session.run({ ...numbered('x', Object.values(batch)), ...numbered('random', random) }, fetches),
      writeParams(flat) {
        const values = layout.slices.map(({ shape, start, end }): DataArray => ({
          dtype: 'float32',
          shape,
          values: flat.subarray(start, end),
        }));
        if (values.length) session.run(numbered('params', values), ['params/done']);
      },
      dispose: () => session.dispose(),
    };
  });
