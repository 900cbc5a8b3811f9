import type { ParamArrays } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { buildConvResidual, conv, convResidual, grow } from '../network/conv-layers.ts';
import { ParamBuilder } from '../network/init.ts';
import type { Params } from '../network/layers.ts';

/** JSON that rebuilds a network over pictures: it stands in the model. */
export interface UnetSpec {
  kind: 'unet';
  /** Channels in and out. */
  inputs: number;
  outputs: number;
  /** Channels at full size; each level down has twice as many. */
  width: number;
  /** Sizes the picture is seen at: 3 is full, half and quarter. */
  levels: number;
  /** Residual blocks on each side of a level. */
  blocks: number;
}

/**
 * A residual U-Net over pictures of any size: at each level residual blocks, 2 × 2 convolutions of stride 2 down, their
 * transposes up, skips added. It has no normalisation layers, so what it says of a pixel depends on its surroundings within
 * {@link Unet.radius} only, not on the size of the picture. Source: DRUNet, Zhang et al. 2021.
 */
export interface Unet {
  spec: UnetSpec;
  /** Sides of pictures must be multiples of this: 2^(levels − 1). */
  multiple: number;
  /** Pixels away that a pixel's answer can depend on, at most. */
  radius: number;
  /** Initial values, named, from the seed. */
  init(seed: number): ParamArrays;
  /** x `[b, h, w, inputs]` → `[b, h, w, outputs]`. */
  forward(x: Tensor, params: Params): Tensor;
}

export function unet(spec: UnetSpec): Unet {
  const { inputs, outputs, width, levels, blocks } = spec;
  const channels = (level: number): number => width * 2 ** level;
  const each = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const bottom = levels - 1;
  return {
    spec,
    multiple: 2 ** bottom,
    radius: radiusOf(spec),
    init(seed) {
      const build = new ParamBuilder(seed);
      build.conv('in', 3, inputs, width);
      for (const level of each(levels)) {
        for (const block of each(level === bottom ? 2 * blocks : blocks))
          buildConvResidual(build, `down${level}/${block}`, channels(level));
        if (level === bottom) continue;
        build.conv(`shrink${level}`, 2, channels(level), channels(level + 1));
        build.conv(`grow${level}`, 2, channels(level), channels(level + 1), 1, 'transposed');
        for (const block of each(blocks)) buildConvResidual(build, `up${level}/${block}`, channels(level));
      }
      build.conv('out', 3, width, outputs, 0.1);
      return build.params;
    },
    forward(x, params) {
      const run = (name: string, h: Tensor, count: number): Tensor =>
        each(count).reduce((y, block) => convResidual(y, params, `${name}/${block}`), h);
      const skips: Tensor[] = [];
      let h = conv(x, params, 'in');
      for (const level of each(bottom)) {
        h = run(`down${level}`, h, blocks);
        skips.push(h);
        h = conv(h, params, `shrink${level}`, 2);
      }
      h = run(`down${bottom}`, h, 2 * blocks);
      for (const level of each(bottom).reverse()) {
        h = tf.add(grow(h, params, `grow${level}`, skips[level]!.shape), skips[level]!);
        h = run(`up${level}`, h, blocks);
      }
      return conv(h, params, 'out');
    },
  };
}

/** Every 3 × 3 convolution at a level sees 2^level pixels further; where pictures are halved, alignment adds as many again. */
function radiusOf({ levels, blocks }: UnetSpec): number {
  let radius = 2;
  for (let level = 0; level < levels; level++)
    radius += 2 ** level * (4 * blocks) + (level < levels - 1 ? 2 * 2 ** level : 0);
  return radius;
}
