import { openDataset } from '@hourglass/dataset';
import { imageColumn, readImages, writeImages } from '@hourglass/images';
import type { StageRun } from '@hourglass/plugin-kit';
import type { colorize } from './index.ts';
import { openColourist } from './open-colourist.ts';

const STAGE = 'colorization/colorize';

/** Row by row: pictures of any size, by windows where they are large; other columns come through as they are. */
export const run: StageRun<typeof colorize> = async (context, { data, model }, options) => {
  const colourist = await openColourist(context, model, options.temperature);
  try {
    const { columns, rows } = await openDataset(context.artifacts, data);
    const column = imageColumn(columns, STAGE, options.column);
    async function* answers() {
      for await (const { row, name, image, record } of readImages(context.artifacts, data, { where: STAGE, column })) {
        context.signal.throwIfAborted();
        const light = colourist.lightness(image);
        yield { image: colourist.paint(light, await colourist.colours(light, options.hints)), name, record };
        context.progress((row + 1) / rows, `coloured ${row + 1} of ${rows} pictures`);
      }
    }
    const others = columns.filter(({ name }) => name !== column).map(({ name, physical }) => ({ name, physical }));
    return { data: await writeImages(context.artifacts, { column, columns: others, images: answers() }) };
  } finally {
    colourist.dispose();
  }
};
