import type { StageRun } from '@hourglass/plugin-kit';
import { dataKind } from './data-kind.ts';
import { settleOptions } from './either-options.ts';
import type { train } from './index.ts';
import { noiseOfKind } from './noise-of-kind.ts';
import { noiseOptions } from './noise-options.ts';
import { pictureLearnerOptions } from './pictures/picture-options.ts';
import { trainPictures } from './pictures/train-pictures.ts';
import { tableLearnerOptions } from './tables/table-options.ts';
import { tableDenoising, trainTable } from './tables/train-table.ts';

const STAGE = 'denoising/train';

export const run: StageRun<typeof train> = async (context, { data }, given) => {
  if ((await dataKind(context.artifacts, data, STAGE, given.column)) === 'table') {
    const options = settleOptions(STAGE, 'table', { ...tableLearnerOptions, ...noiseOptions }, given);
    return trainTable(context, data, noiseOfKind(STAGE, 'table', options));
  }
  const options = settleOptions(STAGE, 'pictures', { ...pictureLearnerOptions, ...noiseOptions }, given);
  return trainPictures(context, { data }, noiseOfKind(STAGE, 'pictures', options));
};

/** One network of an ensemble over a table, in a process of its own. */
export const trainMember = tableDenoising.trainMember;
