import * as tf from '@tensorflow/tfjs';

import { conv, dense, initialiser, uniformData, upsample } from './layers.ts';
import { adamw } from './optimizer.ts';
import type { ReferenceNet } from './reference-net.ts';

const LATENT = 64;

const forward: ReferenceNet['forward'] = (batch, p) => {
  const rows = batch.x!.shape[0]!;
  let h = tf.relu(conv(p, 'down1', batch.x!, 2));
  h = tf.relu(conv(p, 'down2', h, 2));
  const z = dense(p, 'latent', tf.reshape(h, [rows, 8 * 8 * 64]));
  h = tf.reshape(tf.relu(dense(p, 'back', z)), [rows, 8, 8, 64]);
  h = tf.relu(conv(p, 'up1', upsample(h)));
  return { y: tf.sigmoid(conv(p, 'up2', upsample(h))) };
};

export const convAutoencoder: ReferenceNet = {
  name: 'conv',
  summary: `convolutional autoencoder of 32×32×3 with ${LATENT} latents, strided down, nearest up, batches of 64`,
  rows: 1024,
  forward,
  training(n) {
    const init = initialiser(6);
    init.conv('down1', 3, 3, 32);
    init.conv('down2', 3, 32, 64);
    init.dense('latent', 8 * 8 * 64, LATENT);
    init.dense('back', LATENT, 8 * 8 * 64);
    init.conv('up1', 3, 64, 32);
    init.conv('up2', 3, 32, 3);
    return {
      params: init.params,
      data: { x: uniformData([n, 32, 32, 3], 7) },
      loss: (batch, p, context) => tf.mean(tf.squaredDifference(forward(batch, p, context).y!, batch.x!)),
      batchSize: 64,
      ...adamw,
    };
  },
};
