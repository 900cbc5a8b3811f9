import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';

import { resolveEngine } from '../resolve.ts';
import type { ForwardSpec } from '../types.ts';
import { normalArray } from './example-nets.ts';

const spec = (overrides: Partial<ForwardSpec> = {}): ForwardSpec => ({
  params: { w: { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) } },
  forward: (batch, p, { random }) => {
    const y = tf.matMul(batch.x!, p.w!);
    return { y, noisy: tf.add(y, random.normal(y.shape)), sign: tf.cast(tf.greater(y, 0), 'int32') };
  },
  ...overrides,
});

describe.each(['cpu', 'wasm'] as const)('eager forward on %s', (name) => {
  it('gives the same outputs, random ones too, whatever the size of the batches', async () => {
    const engine = await resolveEngine(name);
    const x = normalArray([11, 3]);
    const whole = await (await engine.compileForward(spec())).run({ x });
    expect(whole.y!.shape).toEqual([11, 2]);
    expect(whole.y!.values[0]).toBeCloseTo(x.values[0]! + 3 * x.values[1]! + 5 * x.values[2]!, 5);
    expect(whole.sign!.dtype).toBe('int32');
    for (const batchSize of [1, 4, 11]) {
      const parts = await (await engine.compileForward(spec({ batchSize }))).run({ x });
      for (const output of ['y', 'noisy', 'sign'] as const)
        parts[output]!.values.forEach((v, i) => expect(v).toBeCloseTo(whole[output]!.values[i]!, 5));
    }
  });

  it('gives empty outputs of the right shape for no rows', async () => {
    const forward = await (await resolveEngine(name)).compileForward(spec());
    const { y } = await forward.run({ x: { dtype: 'float32', shape: [0, 3], values: new Float32Array(0) } });
    expect(y).toEqual({ dtype: 'float32', shape: [0, 2], values: new Float32Array(0) });
  });

  it('takes new parameters, keeps neither the caller’s arrays nor, once disposed, any tensor', async () => {
    const before = tf.memory().numTensors;
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const forward = await (
      await resolveEngine(name)
    ).compileForward(spec({ params: { w: { shape: [3, 2], values } } }));
    values.fill(0);
    const x = { dtype: 'float32' as const, shape: [1, 3], values: Float32Array.of(1, 0, 0) };
    expect((await forward.run({ x })).y!.values).toEqual(Float32Array.of(1, 2));
    const next = new Float32Array(6).fill(7);
    await forward.writeParams({ w: next });
    next.fill(0);
    expect((await forward.run({ x })).y!.values).toEqual(Float32Array.of(7, 7));
    await expect(forward.writeParams({ w: new Float32Array(5) })).rejects.toThrow('w should hold 6 values, found 5');
    forward.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses an output without a row for each row of the batch', async () => {
    const forward = await (await resolveEngine(name)).compileForward(spec({ forward: (b) => ({ y: tf.sum(b.x!) }) }));
    await expect(forward.run({ x: normalArray([4, 3]) })).rejects.toThrow('Output y: expected 4 rows');
  });
});
