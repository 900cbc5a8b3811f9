import { mapImages, withChannels, type RawImage } from '@hourglass/images';
import type { ArtifactRef } from '@hourglass/core';
import type { StageContext } from '@hourglass/plugin-kit';
import { toBrightness, toBytes } from './add-noise.ts';
import { levelFor, openDenoiser } from './open-denoiser.ts';

const STAGE = 'denoising/denoise';

/** Row by row: pictures of any size, by windows where they are large; other columns come through as they are. */
export async function denoisePictures(
  context: StageContext,
  { data, model }: { data: ArtifactRef; model: ArtifactRef },
  options: { column?: string; level?: number; selfEnsemble?: boolean },
): Promise<ArtifactRef> {
  const denoiser = await openDenoiser(context, model, options);
  try {
    const level = levelFor(denoiser.model, options.level, STAGE);
    const answer = async (image: RawImage): Promise<RawImage> => {
      // A model of grey pictures cleans each channel of a picture in colour on its own.
      const inputs =
        image.channels === denoiser.channels || denoiser.channels === 3
          ? [withChannels(image, denoiser.channels)]
          : channelsOf(image);
      const cleaned = [];
      for (const { width, height, channels, data: bytes } of inputs)
        cleaned.push(
          toBytes((await denoiser.clean({ width, height, channels, values: toBrightness(bytes) }, level)).values),
        );
      return joined(image, cleaned);
    };
    return await mapImages(
      context.artifacts,
      data,
      { where: STAGE, column: options.column },
      async ({ row, image }, rows) => {
        context.signal.throwIfAborted();
        const result = await answer(image);
        context.progress((row + 1) / rows, `cleaned ${row + 1} of ${rows} pictures`);
        return result;
      },
    );
  } finally {
    denoiser.dispose();
  }
}

/** The channels of a picture as grey pictures. */
const channelsOf = (image: RawImage): RawImage[] =>
  Array.from({ length: image.channels }, (_, k) => ({
    width: image.width,
    height: image.height,
    channels: 1,
    data: image.data.filter((__, i) => i % image.channels === k),
  }));

/** One picture, or three channels put together; a grey picture stays grey. */
function joined(like: RawImage, parts: Uint8Array[]): RawImage {
  const { width, height, channels } = like;
  const [first] = parts;
  if (parts.length === 1 && first!.length === like.data.length) return { ...like, data: first! };
  if (parts.length === 1) return withChannels({ width, height, channels: 3, data: first! }, channels);
  const data = new Uint8Array(like.data.length);
  parts.forEach((part, k) => part.forEach((value, i) => (data[i * channels + k] = value)));
  return { ...like, data };
}
