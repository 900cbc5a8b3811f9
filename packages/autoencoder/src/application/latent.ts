import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ParallelCall, StageContext } from '@hourglass/runtime';
import * as tf from '@tensorflow/tfjs';
import { realWidth, type TableLayout } from '../columns/encoder.ts';
import { darkest } from '../network/answer-bounds.ts';
import { keepFirstLatents } from '../network/corruptions.ts';
import { DROPPED } from '../network/pca-base.ts';
import { warpImages } from '../network/warp.ts';
import type { LatentOptions, LearnerOptions } from '../options.ts';
import { identityExample, type Application } from './application.ts';
import { defineApplication, type DefinedApplication } from './define.ts';

/** Options of such an application, completed: nothing leads around the latent. */
type Complete<O extends LatentOptions> = O & Pick<LearnerOptions, 'skip' | 'answers'>;

/** What an application that reads the latent states. */
export interface LatentApplication<O extends LatentOptions> extends Pick<
  Application<Complete<O>>,
  'name' | 'version' | 'readOut'
> {
  /** @default x → x */
  example?: Application<Complete<O>>['example'];
}

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

/** An application that reads the latent: x → x, around principal components, in order where asked. */
export function defineLatentApplication<O extends LatentOptions>({
  example = (batch) => identityExample(batch, tf.step(batch.w)),
  ...application
}: LatentApplication<O>): DefinedLatentApplication<O> {
  const { train, trainMember } = defineApplication<Complete<O>>({
    ...application,
    vectors: true,
    example(batch, context, options, layout, params) {
      const { warp, shape } = options;
      // In validation too: the epoch kept is the best at what is asked for.
      if (warp === 0 || !shape) return example(batch, context, options, layout, params);
      // Darkest is nothing: what comes into sight from beyond the edge is dark.
      const dark = darkest(params);
      const seen = tf.add(warpImages(tf.sub(batch.x!, dark), shape, warp, context.random), dark);
      const made = example({ ...batch, x: seen }, context, options, layout, params);
      return { ...made, target: { ...made.target, x: batch.x } };
    },
    // A linear network is to span the subspace of the components, which bounds would bend.
    network(spec, options) {
      const bounded = options.bounded && spec.architecture !== 'linear';
      if (options.warp > 0) checkWarp(spec.layout, options, bounded);
      return { ...spec, base: options.base, bounded, ...(options.ordered ? { ordered: true } : {}) };
    },
    latent: (z, params, { random }, { ordered }) => (ordered ? keepFirstLatents(z, random, params[DROPPED]) : z),
  });
  return {
    train: (context, inputs, options, parallel) =>
      train(context, inputs, { ...options, skip: 'none', answers: 'value' }, parallel),
    trainMember,
  };
}

/** @throws OPTION_INVALID where the learned numbers are not one image of one unit */
function checkWarp(layout: TableLayout, { shape, normalisation }: LatentOptions, bounded: boolean): void {
  const refuse = (why: string): never => {
    throw new HourglassError('OPTION_INVALID', `warp: ${why}`, { details: { option: 'warp' } });
  };
  if (!shape) return refuse('needs shape, the rows and columns of the image that the learned numbers are');
  const reals = realWidth(layout);
  const [height, width] = shape;
  if (height * width !== reals || layout.booleans > 0)
    refuse(
      `shape ${height} × ${width} has ${height * width} pixels, learned are ${reals} numbers and elements of vectors and ${layout.booleans} booleans; give the shape of the image they are, and exclude what is no pixel`,
    );
  if (layout.numbers > 0 && normalisation !== 'pooled')
    refuse(`pixels that are columns need normalisation: pooled, one scale for all, found ${normalisation}`);
  if (!bounded) refuse('needs bounded: true and a network that is not linear, to know what is dark');
}
