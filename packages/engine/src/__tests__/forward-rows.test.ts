import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';

import { resolveEngine } from '../resolve.ts';
import { normalArray } from './example-nets.ts';
import { compiledEngines } from './tested-engines.ts';

describe.each(['cpu' as const, ...compiledEngines()])('a forward pass on %s', (name) => {
  it('moves rows within a batch of any size', async () => {
    const engine = await resolveEngine(name);
    const forward = await engine.compileForward({
      params: { one: { shape: [1], values: Float32Array.of(1) } },
      forward: ({ x }, { one }) => {
        const rows = x!.shape[0]!;
        const next = tf.concat([tf.slice(x!, [1, 0], [rows - 1, 3]), tf.slice(x!, [0, 0], [1, 3])]);
        return { next: tf.mul(next, one!) };
      },
    });
    for (const rows of [11, 4, 2]) {
      const x = normalArray([rows, 3]);
      const { next } = await forward.run({ x });
      expect([...next!.values]).toEqual([...x.values.slice(3), ...x.values.slice(0, 3)]);
    }
    forward.dispose();
  });
});
