import { modelReads } from '@hourglass/autoencoder/read-out';
import type { StageRun } from '@hourglass/plugin-kit';
import { settleOptions } from './either-options.ts';
import { pictureEvaluateOptions, tableEvaluateOptions } from './evaluate-options.ts';
import type { evaluate } from './index.ts';
import { evaluatePictures } from './pictures/evaluate-pictures.ts';
import { evaluateTable } from './tables/evaluate-table.ts';

const STAGE = 'denoising/evaluate';

export const run: StageRun<typeof evaluate> = async (context, inputs, given) => {
  if ((await modelReads(context.artifacts, inputs.model)) === 'table')
    return evaluateTable(context, inputs, settleOptions(STAGE, 'table', tableEvaluateOptions, given));
  return evaluatePictures(context, inputs, settleOptions(STAGE, 'pictures', pictureEvaluateOptions, given));
};
