import { Tensor, type InferenceSession } from 'onnxruntime-node';

import { compiledTraining, type StepGraph, type StepRunner } from '../compiled/training.ts';
import type { ParamLayout } from '../flat-params.ts';
import { trainingModel } from '../onnx/training-model.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { openSession, runSession, type Feeds } from './session.ts';

/** A training traced once and run by onnxruntime: the state is fed to every call and taken out of it. */
export async function onnxTraining(spec: TrainingSpec): Promise<CompiledTraining> {
  return compiledTraining(spec, (start, layouts) => {
    let { state, frozen } = start;
    let { data } = spec;
    const feedsOf = (): Feeds => stateFeeds(data, layouts, state, frozen);
    const keep = (results: Feeds) =>
      (state = Object.fromEntries(
        Object.keys(state).map((name) => [name, results[`${name}.out`]!.data as Float32Array]),
      ));
    return {
      compile: async (step) => stepRunner(await openSession(trainingModel(step)), step, feedsOf, keep),
      read: async () => state,
      write: async (next) => void ({ state, frozen } = next),
      writeData: async (next) => void (data = next),
    };
  });
}

function stateFeeds(
  data: Record<string, DataArray>,
  { layout, frozen }: { layout: ParamLayout; frozen: ParamLayout },
  state: Record<string, Float32Array>,
  frozenValues: Float32Array,
): Feeds {
  const feeds: Feeds = {};
  for (const [name, values] of Object.entries(state)) feeds[name] = new Tensor('float32', values, [layout.size]);
  for (const [name, a] of Object.entries(data)) feeds[`data/${name}`] = new Tensor(a.dtype, a.values as never, a.shape);
  for (const { name, shape, start, end } of frozen.slices)
    feeds[`frozen/${name}`] = new Tensor('float32', frozenValues.subarray(start, end), shape);
  return feeds;
}

const stepRunner = (
  session: InferenceSession,
  { draws, rows: batch }: StepGraph,
  feedsOf: () => Feeds,
  keep: (results: Feeds) => void,
): StepRunner => ({
  async run({ steps, rows, scalars, random }) {
    const feeds = feedsOf();
    feeds.steps = new Tensor('int64', BigInt64Array.of(BigInt(steps)), []);
    feeds.rows = new Tensor('int32', rows, [steps, batch]);
    feeds.scalars = new Tensor('float32', scalars, [steps, 3]);
    draws.forEach(({ shape }, i) => (feeds[`random/${i}`] = new Tensor('float32', random[i]!, [steps, ...shape])));
    const results = await runSession(session, feeds);
    keep(results);
    return results.losses!.data as Float32Array;
  },
  dispose: () => void session.release(),
});
