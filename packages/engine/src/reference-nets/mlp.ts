import * as tf from '@tensorflow/tfjs';

import { dense, initialiser, normalData } from './layers.ts';
import { adamw } from './optimizer.ts';
import type { ReferenceNet } from './reference-net.ts';

/** An autoencoder of dense layers: relu inside, linear latent in the middle and linear output. */
function mlp(name: string, widths: number[], rows: number): ReferenceNet {
  const layers = widths.length - 1;
  const forward: ReferenceNet['forward'] = (batch, p) => {
    let h = batch.x!;
    for (let i = 0; i < layers; i++) {
      h = dense(p, `dense${i}`, h);
      if (i + 1 < layers && i + 1 !== layers / 2) h = tf.relu(h);
    }
    return { y: h };
  };
  return {
    name,
    summary: `dense autoencoder ${widths.join('-')}, batches of 256`,
    rows,
    forward,
    training(n) {
      const init = initialiser(1);
      for (let i = 0; i < layers; i++) init.dense(`dense${i}`, widths[i]!, widths[i + 1]!);
      return {
        params: init.params,
        data: { x: normalData([n, widths[0]!], 2) },
        loss: (batch, p, context) => tf.mean(tf.squaredDifference(forward(batch, p, context).y!, batch.x!)),
        batchSize: 256,
        ...adamw,
      };
    },
  };
}

export const smallMlp = mlp('mlp-small', [64, 128, 64, 8, 64, 128, 64], 16384);
export const largeMlp = mlp('mlp-large', [512, 1024, 32, 1024, 512], 4096);
