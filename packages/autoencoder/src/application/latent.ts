import type { ArtifactRef } from '@hourglass/core';
import type { ParallelCall, StageContext } from '@hourglass/runtime';
import * as tf from '@tensorflow/tfjs';
import { keepFirstLatents } from '../network/corruptions.ts';
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
    example,
    // A linear network is to span the subspace of the components, which bounds would bend.
    network: (spec, { base, bounded }) => ({ ...spec, base, bounded: bounded && spec.architecture !== 'linear' }),
    latent: (z, { random }, { ordered }) => (ordered ? keepFirstLatents(z, random) : z),
  });
  return {
    train: (context, inputs, options, parallel) =>
      train(context, inputs, { ...options, skip: 'none', answers: 'value' }, parallel),
    trainMember,
  };
}
