import * as tf from '@tensorflow/tfjs';

import { silu } from '../layers/index.ts';
import { conv, groupNorm, initialiser, uniformData, upsample, type Initialiser } from './layers.ts';
import { adamw } from './optimizer.ts';
import type { ReferenceNet } from './reference-net.ts';

type Params = Record<string, tf.Tensor>;

const residual = (p: Params, name: string, x: tf.Tensor): tf.Tensor => {
  const h = conv(p, `${name}/1`, silu(groupNorm(p, `${name}/1`, x)));
  return tf.add(x, conv(p, `${name}/2`, silu(groupNorm(p, `${name}/2`, h))));
};

function initResidual(init: Initialiser, name: string, width: number): void {
  for (const part of [1, 2]) {
    init.norm(`${name}/${part}`, width);
    init.conv(`${name}/${part}`, 3, width, width);
  }
}

const forward: ReferenceNet['forward'] = (batch, p) => {
  const whole = residual(p, 'res32', conv(p, 'in', batch.x!));
  const half = residual(p, 'res16', conv(p, 'down1', whole, 2));
  let h = residual(p, 'res8', conv(p, 'down2', half, 2));
  h = residual(p, 'up16', conv(p, 'up1', tf.concat([upsample(h), half], 3)));
  h = residual(p, 'up32', conv(p, 'up2', tf.concat([upsample(h), whole], 3)));
  return { noise: conv(p, 'out', silu(groupNorm(p, 'out', h))) };
};

/** The net that denoises and colours images: it learns the noise that was added. */
export const residualUnet: ReferenceNet = {
  name: 'unet',
  summary: 'residual U-Net of 32×32×3, widths 32-64-64, GroupNorm, SiLU, skip connections, batches of 32',
  rows: 256,
  forward,
  training(n) {
    const init = initialiser(8);
    init.conv('in', 3, 3, 32);
    initResidual(init, 'res32', 32);
    init.conv('down1', 3, 32, 64);
    initResidual(init, 'res16', 64);
    init.conv('down2', 3, 64, 64);
    initResidual(init, 'res8', 64);
    init.conv('up1', 3, 128, 64);
    initResidual(init, 'up16', 64);
    init.conv('up2', 3, 96, 32);
    initResidual(init, 'up32', 32);
    init.norm('out', 32);
    init.conv('out', 3, 32, 3);
    return {
      params: init.params,
      data: { x: uniformData([n, 32, 32, 3], 9), noise: uniformData([n, 32, 32, 3], 10) },
      loss(batch, p, context) {
        const { noise } = forward({ x: tf.add(batch.x!, tf.mul(batch.noise!, 0.2)) }, p, context);
        return tf.mean(tf.squaredDifference(noise!, batch.noise!)) as tf.Scalar;
      },
      batchSize: 32,
      ...adamw,
    };
  },
};
