import { execFileSync } from 'node:child_process';

import { afterEach, describe, expect, it } from 'vitest';

import { checkTraining } from '../check-training.ts';
import { splitParams } from '../flat-params.ts';
import { multiplyAdds } from '../ir/work.ts';
import { optimise } from '../passes/optimise.ts';
import { REFERENCE_NETS } from '../reference-nets/index.ts';
import { engineIdentity } from '../resolve.ts';
import { traceTraining } from '../tracer/trace-step.ts';
import { dataShapes } from '../training-data.ts';
import type { TrainingSpec } from '../types.ts';
import { threadClass, threadsFor, threadSetting } from '../threads.ts';
import { mlpSpec } from './example-nets.ts';
import { testedEngines } from './tested-engines.ts';

const { HOURGLASS_THREADS } = process.env;
afterEach(() => {
  if (HOURGLASS_THREADS === undefined) delete process.env.HOURGLASS_THREADS;
  else process.env.HOURGLASS_THREADS = HOURGLASS_THREADS;
});

/** Multiply-adds of a step on a whole batch. */
function stepWork(spec: TrainingSpec): number {
  const rows = Math.min(spec.batchSize, checkTraining(spec));
  return multiplyAdds(optimise(traceTraining(spec.loss, dataShapes(spec.data), splitParams(spec), rows)));
}

describe('the number of threads', () => {
  it('is one, a number or auto', () => {
    delete process.env.HOURGLASS_THREADS;
    expect(threadSetting()).toBe(1);
    process.env.HOURGLASS_THREADS = '2';
    expect(threadSetting()).toBe(2);
    process.env.HOURGLASS_THREADS = 'auto';
    expect(threadSetting()).toBe('auto');
  });

  it.each(['many', '0', '1.5', '-2'])('is refused as %s', (text) => {
    process.env.HOURGLASS_THREADS = text;
    expect(threadSetting).toThrow(`HOURGLASS_THREADS: expected auto or a whole number from 1 to`);
    expect(threadSetting).toThrow(`found "${text}"`);
  });

  it('follows the size of the net with auto, and nothing else', () => {
    const auto = (work: number, cores: number) => threadsFor(work, 'auto', cores);
    expect([0, 1e6, 1e9].map((work) => auto(work, 16))).toEqual([1, 1, 1]);
    expect([2e9, 5e9, 1e12].map((work) => auto(work, 16))).toEqual([2, 5, 8]);
    expect([2e9, 5e9, 1e12].map((work) => auto(work, 4))).toEqual([2, 4, 4]);
    expect(threadsFor(1e12, 3)).toBe(3);
  });

  it('is one for every net that two threads were measured not to help', () => {
    for (const net of REFERENCE_NETS.filter(({ name }) => name !== 'unet'))
      expect(threadsFor(stepWork(net.training(net.rows)), 'auto', 16), net.name).toBe(1);
    expect(threadsFor(stepWork(mlpSpec([64, 128, 64], 512)), 'auto', 16)).toBe(1);
  });

  it('counts the multiply-adds of products and convolutions, their gradients among them', () => {
    // Forward and the gradient of the weights of each layer; of the input from the second layer on.
    expect(stepWork(mlpSpec([8, 4, 8], 32))).toBe(32 * 8 * 4 * (2 + 3));
  });

  it('is part of the class where it changes last digits', async () => {
    expect(threadClass(1)).toBe('');
    expect(threadClass(2)).toBe('-2threads');
    expect(threadClass('auto', 4)).toBe('-auto4threads');
    expect(threadClass('auto', 64)).toBe('-auto8threads');
    process.env.HOURGLASS_THREADS = '2';
    const { class: engineClass } = await engineIdentity('onnxruntime');
    expect(engineClass).toMatch(/^onnxruntime-[\d.]+-cpu-2threads$/);
  });

  it.each(testedEngines('onnxruntime', 'tensorflow'))('auto gives small nets the bytes of one thread on %s', (name) => {
    const train = (threads: string) => {
      const script = `
        import { createHash } from 'node:crypto';
        import { resolveEngine, permutation } from '@hourglass/engine';
        import { mlpSpec } from './example-nets.ts';
        const engine = await resolveEngine('${name}');
        const training = await engine.compileTraining(mlpSpec([16, 32, 16], 100));
        await training.runSlice(permutation(100, 1, 0), 0, 4);
        const { params } = await training.readState();
        const hash = createHash('sha256');
        for (const values of Object.values(params)) hash.update(values);
        console.log(JSON.stringify([hash.digest('hex'), process.env.TF_NUM_INTRAOP_THREADS]));`;
      const env: NodeJS.ProcessEnv = { ...process.env, HOURGLASS_THREADS: threads };
      delete env.TF_NUM_INTRAOP_THREADS;
      const out = execFileSync(
        process.execPath,
        ['--import', 'tsx', '--conditions=@hourglass/source', '--input-type=module', '-e', script],
        { cwd: import.meta.dirname, encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] },
      );
      return JSON.parse(out.trim().split('\n').at(-1)!) as [string, string | null];
    };
    const one = train('1');
    expect(train('auto')).toEqual(one);
    if (name === 'tensorflow') expect(one[1]).toBe('1');
  });
});
