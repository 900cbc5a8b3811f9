import { modelReads } from '@hourglass/autoencoder/read-out';
import type { StageRun } from '@hourglass/plugin-kit';
import { settleOptions } from './either-options.ts';
import type { denoise } from './index.ts';
import { denoisePictures } from './pictures/denoise-pictures.ts';
import { denoiseTable } from './tables/denoise-table.ts';

const STAGE = 'denoising/denoise';

/** As the model says: pictures by windows where they are large, tables column by column; other columns come through as they are. */
export const run: StageRun<typeof denoise> = async (context, inputs, options) => {
  if ((await modelReads(context.artifacts, inputs.model)) === 'pictures')
    return { data: await denoisePictures(context, inputs, options) };
  settleOptions(STAGE, 'table', {}, options);
  return { data: await denoiseTable(context, inputs.data, inputs.model) };
};
