import type { StageRun } from '@hourglass/plugin-kit';
import { dataKind } from './data-kind.ts';
import { settleOptions } from './either-options.ts';
import type { corrupt } from './index.ts';
import { noiseOfKind } from './noise-of-kind.ts';
import { noiseOptions } from './noise-options.ts';
import { corruptPictures } from './pictures/corrupt-pictures.ts';
import { column } from './evaluate-options.ts';
import { corruptTable } from './tables/corrupt-table.ts';
import { tableColumns } from './tables/table-options.ts';

const STAGE = 'denoising/corrupt';

export const run: StageRun<typeof corrupt> = async (context, { data }, given) => {
  if ((await dataKind(context.artifacts, data, STAGE, given.column)) === 'table') {
    const options = settleOptions(STAGE, 'table', { ...tableColumns, ...noiseOptions }, given);
    return { data: await corruptTable(context, data, noiseOfKind(STAGE, 'table', options)) };
  }
  const options = settleOptions(STAGE, 'pictures', { column, ...noiseOptions }, given);
  return { data: await corruptPictures(context, data, noiseOfKind(STAGE, 'pictures', options)) };
};
