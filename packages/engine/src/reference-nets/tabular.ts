import * as tf from '@tensorflow/tfjs';

import { gelu } from '../layers/index.ts';
import { hostRandom } from '../random/host-random.ts';
import type { DataArray } from '../types.ts';
import { dense, initialiser, layerNorm, normalData } from './layers.ts';
import { adamw } from './optimizer.ts';
import type { ReferenceNet } from './reference-net.ts';

const COLUMNS = 24;
const CATEGORIES = 12;
const EMBEDDING = 8;
const WIDTH = 192;
const BLOCKS = 3;

const forward: ReferenceNet['forward'] = (batch, p) => {
  const code = tf.gather(p['code/embedding']!, batch.code as tf.Tensor1D);
  let h = dense(p, 'in', tf.concat([tf.mul(batch.x!, batch.weight!), batch.weight!, code], 1));
  for (let i = 0; i < BLOCKS; i++) {
    const inner = gelu(dense(p, `block${i}/up`, layerNorm(p, `block${i}`, h)));
    h = tf.add(h, dense(p, `block${i}/down`, inner));
  }
  const out = dense(p, 'out', layerNorm(p, 'last', h));
  const [values, logits] = tf.split(out, [COLUMNS, CATEGORIES], 1) as [tf.Tensor, tf.Tensor];
  return { values, logits };
};

/** The net of tables: numbers with a mask, one column of codes, residual blocks of LayerNorm and GELU. */
export const tabularNet: ReferenceNet = {
  name: 'tabular',
  summary: `embedding, ${BLOCKS} residual blocks of width ${WIDTH} with LayerNorm and GELU, masked MSE + cross-entropy, batches of 256`,
  rows: 8192,
  forward,
  training(n) {
    const init = initialiser(3);
    init.embedding('code', CATEGORIES, EMBEDDING);
    init.dense('in', 2 * COLUMNS + EMBEDDING, WIDTH);
    for (let i = 0; i < BLOCKS; i++) {
      init.norm(`block${i}`, WIDTH);
      init.dense(`block${i}/up`, WIDTH, WIDTH);
      init.dense(`block${i}/down`, WIDTH, WIDTH);
    }
    init.norm('last', WIDTH);
    init.dense('out', WIDTH, COLUMNS + CATEGORIES);
    const random = hostRandom(4);
    const weight: DataArray = {
      dtype: 'float32',
      shape: [n, COLUMNS],
      values: Float32Array.from({ length: n * COLUMNS }, () => (random.uniform() < 0.8 ? 1 : 0)),
    };
    const code: DataArray = {
      dtype: 'int32',
      shape: [n],
      values: Int32Array.from({ length: n }, () => random.uint32() % CATEGORIES),
    };
    return {
      params: init.params,
      data: { x: normalData([n, COLUMNS], 5), weight, code },
      loss(batch, p, context) {
        const { values, logits } = forward(batch, p, context);
        const squares = tf.mul(tf.squaredDifference(values!, batch.x!), batch.weight!);
        const mse = tf.div(tf.sum(squares), tf.add(tf.sum(batch.weight!), 1e-6));
        const truth = tf.oneHot(batch.code as tf.Tensor1D, CATEGORIES);
        const crossEntropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits as tf.Tensor2D), truth), 1)));
        return tf.add(mse, crossEntropy) as tf.Scalar;
      },
      batchSize: 256,
      ...adamw,
    };
  },
};
