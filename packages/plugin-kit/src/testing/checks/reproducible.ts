import type { Checkpoint } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';

import { errorOf, expectSameRows, expectThat, tableFor, type Check } from '../check.ts';
import { sliceRows } from '../synthetic-table.ts';
import type { Workbench } from '../learner.ts';

const digests = async (bench: Workbench, ref: ArtifactRef) =>
  JSON.stringify([ref.digest, ...(await bench.artifacts.get(ref)).parts.map((part) => part.digest)]);

/** Same in, same out; nothing lost when it is stopped. */
export const reproducible: Check[] = [
  {
    title: 'trains to the same digest from the same seed, and to another from another seed',
    async run(bench) {
      const data = await bench.dataset(tableFor(bench));
      const first = await bench.train(data, { seed: 7 });
      const again = await bench.train(data, { seed: 7 });
      const other = await bench.train(data, { seed: 8 });
      expectThat(first.digest === again.digest, `same seed: expected digest ${first.digest}, found ${again.digest}`);
      expectThat(first.digest !== other.digest, 'another seed: expected another digest, found the same');
    },
  },
  {
    title: 'applies a saved and loaded model to the same digest each time',
    async run(bench) {
      const data = await bench.dataset(tableFor(bench));
      const model = await bench.train(data);
      const [a, b] = [await bench.apply(data, model, { seed: 3 }), await bench.apply(data, model, { seed: 3 })];
      expectThat(a.digest === b.digest, `expected digest ${a.digest}, found ${b.digest}`);
    },
  },
  {
    title: 'leaves its inputs as they were',
    async run(bench) {
      const data = await bench.dataset(tableFor(bench));
      const before = await digests(bench, data);
      const model = await bench.train(data);
      const modelBefore = await digests(bench, model);
      await bench.apply(data, model);
      for (const [ref, was] of [
        [data, before],
        [model, modelBefore],
      ] as const) {
        const verified = await bench.artifacts.verify(ref, { deep: true });
        expectThat(verified.ok && (await digests(bench, ref)) === was, `the ${ref.kind} changed while it was used`);
      }
    },
  },
  {
    title: 'gives each row the same result whatever rows come with it',
    async run(bench) {
      const table = tableFor(bench, { rows: 101 });
      const model = await bench.train(await bench.dataset(table));
      const whole = await bench.read(await bench.apply(await bench.dataset(table), model));
      for (const [from, to] of [
        [0, 37],
        [37, 101],
      ] as const) {
        const part = await bench.read(await bench.apply(await bench.dataset(sliceRows(table, from, to)), model));
        expectSameRows(sliceRows(whole, from, to), part, bench.learner.tolerance ?? 1e-4, `rows ${from} to ${to}`);
      }
    },
  },
  {
    title: 'stops at once when cancelled',
    async run(bench) {
      const data = await bench.dataset(tableFor(bench));
      const controller = new AbortController();
      let after = 0;
      const work = bench.train(data, {
        signal: controller.signal,
        onProgress: () => (controller.signal.aborted ? after++ : controller.abort()),
      });
      await errorOf(work, 'an error that says it was cancelled');
      expectThat(after <= 2, `expected it to stop at the next slice, found ${after} more signs of progress`);
    },
  },
  {
    title: 'continues from a checkpoint to the bytes of a training never stopped',
    async run(bench) {
      const data = await bench.dataset(tableFor(bench));
      const undisturbed = await bench.train(data, { seed: 5 });
      const slot: { checkpoint?: Checkpoint } = {};
      const controller = new AbortController();
      let progressed = 0;
      const stopped = bench.train(data, {
        seed: 5,
        slot,
        signal: controller.signal,
        onProgress: () => ++progressed === 2 && controller.abort(),
      });
      await errorOf(stopped, 'an error that says it was cancelled');
      expectThat(slot.checkpoint !== undefined, 'expected a checkpoint to be saved before it yielded, found none');
      const resumed = await bench.train(data, { seed: 5, slot });
      expectThat(
        resumed.digest === undisturbed.digest,
        `expected digest ${undisturbed.digest} of the undisturbed training, found ${resumed.digest}`,
      );
    },
  },
  {
    title: 'leaves no tensors behind',
    async run(bench) {
      const tf = await import('@tensorflow/tfjs');
      const data = await bench.dataset(tableFor(bench));
      // The first round may fill caches of the engine.
      await bench.apply(data, await bench.train(data));
      const before = tf.memory().numTensors;
      await bench.apply(data, await bench.train(data));
      const left = tf.memory().numTensors - before;
      expectThat(left === 0, `expected no tensors left behind, found ${left}`);
    },
  },
];
