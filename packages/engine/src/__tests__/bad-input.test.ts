import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadTensorflow } from '../backends/tensorflow.ts';
import { permutation } from '../random/draw.ts';
import { resolveEngine } from '../resolve.ts';
import type { TrainingSpec } from '../types.ts';
import { mlpSpec, normalArray } from './example-nets.ts';
import { compiledEngines } from './tested-engines.ts';

const ENGINES = compiledEngines();
const WIDTHS = [8, 4, 8];

describe.each(['cpu' as const, ...ENGINES])('what cannot be trained on, on %s', (name) => {
  const message = async (overrides: Partial<TrainingSpec>): Promise<string> => {
    const engine = await resolveEngine(name);
    return engine.compileTraining(mlpSpec(WIDTHS, 20, overrides)).then(
      () => 'no error',
      (error: unknown) => (error as Error).message,
    );
  };

  it.each([
    [
      'a learning rate of 0',
      { schedule: { kind: 'constant', rate: 0 } },
      'Learning rate: expected a number above 0, found 0',
    ],
    ['a learning rate that is no number', { schedule: { kind: 'constant', rate: NaN } }, 'found NaN'],
    ['batches of no rows', { batchSize: 0 }, 'Batch size: expected a whole number above 0, found 0'],
    ['no rows', { data: { x: normalArray([0, 8]) } }, 'There is no row to train on'],
    ['weight decay of plain Adam', { optimizer: { kind: 'adam', weightDecay: 1 } }, 'has no decoupled weight decay'],
  ] as [string, Partial<TrainingSpec>, string][])('is refused: %s', async (_, overrides, expected) => {
    expect(await message(overrides)).toContain(expected);
  });

  it('one row trains', async () => {
    const training = await (await resolveEngine(name)).compileTraining(mlpSpec(WIDTHS, 1));
    const [first] = await training.runSlice(Int32Array.of(0), 0, 1);
    const [second] = await training.runSlice(Int32Array.of(0), 0, 1);
    expect(second).toBeLessThan(first!);
  });

  it('gives out a loss that is not finite instead of hiding it', async () => {
    const spec = mlpSpec(WIDTHS, 64, {
      optimizer: { kind: 'sgd' },
      schedule: { kind: 'constant', rate: 1e20 },
    });
    const training = await (await resolveEngine(name)).compileTraining(spec);
    const losses = [
      ...(await training.runSlice(permutation(64, 1, 0), 0, 2)),
      ...(await training.runSlice(permutation(64, 1, 1), 0, 2)),
    ];
    expect(losses.some((loss) => !Number.isFinite(loss))).toBe(true);
  });
});

describe.each(ENGINES)('native limits on %s', (name) => {
  it('memory that runs out is an error that names the batches to make smaller', async () => {
    // A product of 2²⁰ by 2²⁰ rows would take 4 TB.
    const rows = 2 ** 20;
    const training = await (
      await resolveEngine(name)
    ).compileTraining({
      ...mlpSpec(WIDTHS, 1),
      params: { w: { shape: [1, 1], values: Float32Array.of(1) } },
      data: { x: normalArray([rows, 1]) },
      batchSize: rows,
      loss: (batch, p) => {
        const y = tf.matMul(batch.x!, p.w!);
        return tf.sum(tf.matMul(tf.matMul(y, y, false, true), batch.x!));
      },
    });
    await expect(training.runSlice(permutation(rows, 1, 0), 0, 1)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringMatching(/ran out of memory with batches of 1048576 rows\. Make them smaller/),
    });
  });

  it('a shape that depends on values is refused by the operation that makes it', async () => {
    const engine = await resolveEngine(name);
    const loss: TrainingSpec['loss'] = (batch, p) =>
      tf.sum(tf.mul(tf.unique(tf.reshape(batch.x!, [-1])).values, tf.sum(p['dense0/bias']!)));
    await expect(engine.compileTraining(mlpSpec(WIDTHS, 20, { loss }))).rejects.toMatchObject({
      code: 'STEP_UNTRACEABLE',
      message: expect.stringMatching(
        /bad-input\.test\.ts:\d+:\d+: The operation Unique cannot be compiled\. Engine cpu has it/,
      ),
    });
  });
});

describe('a TensorFlow that does not load', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'hourglass-engines-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const load = async (main: string) => {
    const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
    await mkdir(packageFolder, { recursive: true });
    await writeFile(
      join(packageFolder, 'package.json'),
      '{"name":"@tensorflow/tfjs-node","version":"4.22.0","main":"main.js"}',
    );
    await writeFile(join(packageFolder, 'main.js'), main);
    await writeFile(join(packageFolder, 'addon.node'), 'no library of this machine '.repeat(10));
    const require = createRequire(join(folder, 'package.json'));
    return loadTensorflow({ packageName: '@tensorflow/tfjs-node', folder: packageFolder, require, built: true });
  };

  it('says which library is missing', async () => {
    const main = `throw new Error('libtensorflow.so.2: cannot open shared object file: No such file or directory')`;
    await expect(load(main)).rejects.toThrow(
      'needs the library libtensorflow.so.2, which is not here. Run `npx hourglass engine install tensorflow`',
    );
  });

  it('says that an addon is of another processor', async () => {
    await expect(load(`require('./addon.node')`)).rejects.toThrow('was built for another processor or system');
  });
});

describe('an engine that is not there', () => {
  const { HOURGLASS_ENGINES } = process.env;
  afterEach(() => {
    if (HOURGLASS_ENGINES === undefined) delete process.env.HOURGLASS_ENGINES;
    else process.env.HOURGLASS_ENGINES = HOURGLASS_ENGINES;
  });

  it('is refused with the way to get it', async () => {
    process.env.HOURGLASS_ENGINES = join(tmpdir(), 'no-such-folder');
    await expect(resolveEngine('tensorflow')).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(
        /Engine tensorflow is not available: .*\. Run `npx hourglass engine install tensorflow`/,
      ),
    });
  });
});
