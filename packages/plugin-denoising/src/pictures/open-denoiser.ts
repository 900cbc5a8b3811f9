import { imagePredictor, loadImageModel, type ImageModel } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import type { Samples } from '@hourglass/metrics';
import { HourglassError, type StageContext } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { noiseOfKind } from '../noise-of-kind.ts';
import type { PictureNoise } from '../noise-options.ts';
import { cleaned } from './predict-noise.ts';

/** A denoising model ready for pictures of any size. Dispose it after use. */
export interface Denoiser {
  model: ImageModel;
  channels: 1 | 3;
  /** @param noisy brightness about 0…1 @param level strength, where the model asks for it */
  clean(noisy: Samples, level: number): Promise<Samples>;
  dispose(): void;
}

export async function openDenoiser(
  context: StageContext,
  ref: ArtifactRef,
  options: { selfEnsemble?: boolean } = {},
): Promise<Denoiser> {
  const model = await loadImageModel(context.artifacts, ref);
  const { fitted, network } = model.description;
  const channels = fitted.channels as 1 | 3;
  const mapped = network.inputs > channels;
  const read = (input: Tensor, net: (x: Tensor) => Tensor): Tensor => {
    if (!mapped) return cleaned(input, net);
    const [rows, height, width] = input.shape as [number, number, number];
    const picture = tf.slice(input, [0, 0, 0, 0], [rows, height, width, channels]);
    const level = tf.slice(input, [0, 0, 0, channels], [rows, 1, 1, 1]);
    return cleaned(picture, net, level);
  };
  const predictor = imagePredictor(await context.engine(), model, read, options);
  return {
    model,
    channels,
    clean: (noisy, level) => predictor.run(mapped ? withLevel(noisy, level) : noisy),
    dispose: () => predictor.dispose(),
  };
}

/** The strength of the noise as one more channel. */
function withLevel({ width, height, channels, values }: Samples, level: number): Samples {
  const wide = new Float32Array(width * height * (channels + 1));
  for (let i = 0; i < width * height; i++) {
    for (let k = 0; k < channels; k++) wide[i * (channels + 1) + k] = values[i * channels + k]!;
    wide[i * (channels + 1) + channels] = level;
  }
  return { width, height, channels: channels + 1, values: wide };
}

/**
 * The strength to tell a model that asks for it.
 * @throws OPTION_INVALID where it asks and none is given, the other way round, and for a strength that its noise cannot have
 */
export function levelFor({ description }: ImageModel, given: number | undefined, stage: string): number {
  const { levelMap, noise } = description.options as { levelMap?: boolean; noise: PictureNoise };
  if (given !== undefined && levelMap) noiseOfKind(stage, 'pictures', { noise, level: given });
  if ((given !== undefined) === (levelMap === true)) return given ?? 0;
  throw new HourglassError(
    'OPTION_INVALID',
    levelMap
      ? `${stage}: the model was trained with levelMap: say how strong the noise is with \`level\` (0 … 1 for a brightness of 0 … 1).`
      : `${stage}: option level: the model was trained without levelMap and takes the noise as it sees it. Leave level out, or train with levelMap: true.`,
  );
}
