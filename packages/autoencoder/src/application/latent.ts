import type { ArtifactRef } from '@hourglass/core';
import type { ParallelCall, StageContext } from '@hourglass/runtime';
import type { StepRandom } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { realWidth, type TableLayout } from '../columns/encoder.ts';
import { refuseOption } from '../model/refuse-option.ts';
import { darkest } from '../network/answer-bounds.ts';
import { keepFirstLatents, swappedInput } from '../network/corruptions.ts';
import { DROPPED } from '../network/pca-base.ts';
import type { Params } from '../network/layers.ts';
import type { ImageShape } from '../network/image-shape.ts';
import { warpImages } from '../network/warp.ts';
import type { LatentOptions, LearnerOptions } from '../options.ts';
import { identityExample, type Application } from './application.ts';
import { defineApplication, type DefinedApplication } from './define.ts';

/** Options of such an application, completed: nothing leads around the latent. */
type Complete<O extends LatentOptions> = O & Pick<LearnerOptions, 'skip' | 'answers'>;

/** The stages' code of such an application. */
export interface DefinedLatentApplication<O extends LatentOptions> {
  train(
    context: StageContext,
    inputs: { data: ArtifactRef },
    options: O,
    parallel?: ParallelCall,
  ): ReturnType<DefinedApplication<Complete<O>>['train']>;
  trainMember: DefinedApplication<Complete<O>>['trainMember'];
}

/**
 * An application that reads the latent: x → x, around principal components, in order where asked. What the encoder sees of x
 * may be warped, and cells of it swapped among rows: to put them right it must know how columns belong together.
 * Source of swap noise: M. Jahrer's winning entry, Porto Seguro 2017.
 */
export function defineLatentApplication<O extends LatentOptions>(
  application: Pick<Application, 'name' | 'version' | 'readOut'>,
): DefinedLatentApplication<O> {
  const { train, trainMember } = defineApplication<Complete<O>>({
    ...application,
    vectors: true,
    // In validation too: the epoch kept is the best at what is asked for.
    example(batch, { random }, { warp, shape, swapRate }, layout, params) {
      const clean = identityExample(batch, tf.step(batch.w));
      if (swapRate === 0 && warp === 0) return clean;
      const x = warp > 0 ? warped(batch.x!, shape!, warp, params, random) : batch.x;
      const input = swapRate > 0 ? swappedInput({ ...batch, x }, random, swapRate, layout) : { ...clean.input, x };
      return { ...clean, input };
    },
    contrast: ({ contrast }) => contrast,
    neighbours: ({ neighbours }) => neighbours,
    // A linear network is to span the subspace of the components, which bounds would bend.
    network(spec, options) {
      const bounded = options.bounded && spec.architecture !== 'linear';
      checkImage(spec.layout, options, bounded);
      checkContrast(options);
      return {
        ...spec,
        base: options.base,
        bounded,
        ...(options.architecture === 'conv' ? { image: options.shape! } : {}),
        ...(options.ordered ? { ordered: true } : {}),
      };
    },
    latent: (z, params, { random }, { ordered }) => (ordered ? keepFirstLatents(z, random, params[DROPPED]) : z),
  });
  return {
    train: (context, inputs, options, parallel) =>
      train(context, inputs, { ...options, skip: 'none', answers: 'value' }, parallel),
    trainMember,
  };
}

/** Darkest is nothing: what comes into sight from beyond the edge is dark. */
function warped(x: Tensor, shape: ImageShape, strength: number, params: Params, random: StepRandom): Tensor {
  const dark = darkest(params);
  return tf.add(warpImages(tf.sub(x, dark), shape, strength, random), dark);
}

/** @throws OPTION_INVALID where rows would be told apart by nothing, or neighbours found for nothing */
function checkContrast({ contrast, neighbours, warp, swapRate }: LatentOptions): void {
  if (contrast > 0 && neighbours === 0 && warp === 0 && swapRate === 0)
    refuseOption(
      'contrast',
      'needs views of a row that differ, found warp: 0 and swapRate: 0; set swapRate, 0.15 for example, for images warp, or neighbours',
    );
  if (neighbours > 0 && contrast === 0)
    refuseOption('neighbours', `${neighbours} has no effect with contrast: 0; set contrast, 1 for example`);
}

/** @throws OPTION_INVALID where an option is for images and the learned numbers are not one image of one unit */
function checkImage(layout: TableLayout, options: LatentOptions, bounded: boolean): void {
  const { shape, normalisation, warp } = options;
  const conv = options.architecture === 'conv';
  if (warp === 0 && !conv) return;
  const refuseImage = (why: string): never =>
    warp > 0 ? refuseOption('warp', why) : refuseOption('architecture', `conv: ${why}`);
  if (!shape) return refuseImage('needs shape, the rows and columns of the image that the learned numbers are');
  const reals = realWidth(layout);
  const [height, width] = shape;
  const pixels = height * width;
  // A warp moves the numbers and leaves categories as they are; convolutions see nothing but the image.
  const others = layout.booleans + (conv ? layout.categories.length + layout.cycles.length : 0);
  // A warp moves single numbers, convolutions may see colours, channels last.
  const fits = warp > 0 ? reals === pixels : reals > 0 && reals % pixels === 0;
  if (!fits || others > 0)
    refuseImage(
      `shape ${height} × ${width} has ${pixels} pixels, learned are ${reals} numbers and elements of vectors and ${others} other columns; give the shape of the image they are, and exclude what is no pixel`,
    );
  if (layout.numbers > 0 && normalisation !== 'pooled')
    refuseImage(`pixels that are columns need normalisation: pooled, one scale for all, found ${normalisation}`);
  if (warp > 0 && !bounded) refuseImage('needs bounded: true and a network that is not linear, to know what is dark');
}
