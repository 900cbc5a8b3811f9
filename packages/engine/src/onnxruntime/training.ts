import { Tensor } from 'onnxruntime-node';

import { compiledTraining, type FlatTraining, type StepGraph, type StepRunner } from '../compiled/training.ts';
import type { ParamLayout } from '../flat-params.ts';
import { multiplyAdds } from '../ir/work.ts';
import { fromGroups, toGroups, vectorGroups } from '../onnx/param-groups.ts';
import { trainingModel } from '../onnx/training-model.ts';
import { threadsFor } from '../threads.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { openSession, type Feeds, type Session } from './session.ts';

/** A training traced once and run by onnxruntime on the processor: the state is fed to every call and taken out of it. */
export async function onnxTraining(spec: TrainingSpec): Promise<CompiledTraining> {
  return compiledTraining(spec, (start, layouts, rows) => {
    let data = rows;
    let { frozen } = start;
    let threads: number | undefined;
    const groups = vectorGroups(layouts);
    const split = ({ state }: FlatTraining) =>
      Object.fromEntries(groups.map(({ vector, groups }) => [vector, toGroups(groups, state[vector]!)]));
    let state = split(start);
    const feedsOf = (): Feeds => {
      const feeds = fixedFeeds(data, layouts.frozen, frozen);
      for (const { vector, groups: parts } of groups)
        parts.forEach(({ shape }, i) => (feeds[`${vector}/${i}`] = new Tensor('float32', state[vector]![i]!, shape)));
      return feeds;
    };
    const keep = (results: Feeds) => {
      for (const [vector, values] of Object.entries(state))
        state[vector] = values.map((_, i) => results[`${vector}/${i}.out`]!.data as Float32Array);
    };
    return {
      compile: async (step) => {
        // By whole batches: the last, smaller one of an epoch is computed as the others are.
        threads ??= threadsFor(multiplyAdds(step.graph));
        const session = await openSession(trainingModel(step), { engine: 'onnxruntime', threads });
        return stepRunner(session, step, feedsOf, keep);
      },
      read: async () =>
        Object.fromEntries(
          groups.map(({ vector, groups, size }) => [vector, fromGroups(groups, state[vector]!, size)]),
        ),
      write: async (next) => {
        state = split(next);
        ({ frozen } = next);
      },
      writeData: async (next) => void (data = next),
    };
  });
}

function fixedFeeds(data: Record<string, DataArray>, frozen: ParamLayout, frozenValues: Float32Array): Feeds {
  const feeds: Feeds = {};
  for (const [name, a] of Object.entries(data)) feeds[`data/${name}`] = new Tensor(a.dtype, a.values as never, a.shape);
  for (const { name, shape, start, end } of frozen.slices)
    feeds[`frozen/${name}`] = new Tensor('float32', frozenValues.subarray(start, end), shape);
  return feeds;
}

const stepRunner = (
  session: Session,
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
    const results = await session.run(feeds, `batches of ${batch} rows`);
    keep(results);
    return results.losses!.data as Float32Array;
  },
  dispose: session.dispose,
});
