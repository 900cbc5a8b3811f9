import { openDataset } from '@hourglass/dataset';
import { imageColumn, readImages, writeImages } from '@hourglass/images';
import type { StageRun } from '@hourglass/plugin-kit';
import { addNoise, toBytes } from './add-noise.ts';
import type { corrupt } from './index.ts';

const STAGE = 'denoising/corrupt';

export const run: StageRun<typeof corrupt> = async (context, { data }, options) => {
  const { columns } = await openDataset(context.artifacts, data);
  const column = imageColumn(columns, STAGE, options.column);
  async function* noisy() {
    for await (const { row, name, image, record } of readImages(context.artifacts, data, { where: STAGE, column })) {
      if (row % 64 === 0) context.signal.throwIfAborted();
      const { values } = await addNoise(image, options, context.seed, row);
      yield { image: { ...image, data: toBytes(values) }, name, record };
    }
  }
  const others = columns.filter(({ name }) => name !== column).map(({ name, physical }) => ({ name, physical }));
  return { data: await writeImages(context.artifacts, { column, columns: others, images: noisy() }) };
};
