import { mapImages } from '@hourglass/images';
import type { StageRun } from '@hourglass/plugin-kit';
import { addNoise, toBytes } from './add-noise.ts';
import type { corrupt } from './index.ts';

export const run: StageRun<typeof corrupt> = async (context, { data }, options) => ({
  data: await mapImages(
    context.artifacts,
    data,
    { where: 'denoising/corrupt', column: options.column },
    async ({ row, image }) => {
      if (row % 64 === 0) context.signal.throwIfAborted();
      const { values } = await addNoise(image, options, context.seed, row);
      return { ...image, data: toBytes(values) };
    },
  ),
});
