import { mapImages } from '@hourglass/images';
import type { StageRun } from '@hourglass/plugin-kit';
import type { colorize } from './index.ts';
import { openColourist } from './open-colourist.ts';

const STAGE = 'colorization/colorize';

/** Row by row: pictures of any size, by windows where they are large; other columns come through as they are. */
export const run: StageRun<typeof colorize> = async (context, { data, model }, options) => {
  const colourist = await openColourist(context, model, options);
  try {
    return {
      data: await mapImages(
        context.artifacts,
        data,
        { where: STAGE, column: options.column },
        async ({ row, image }, rows) => {
          context.signal.throwIfAborted();
          const light = colourist.lightness(image);
          const result = colourist.paint(light, await colourist.colours(light, options.hints));
          context.progress((row + 1) / rows, `coloured ${row + 1} of ${rows} pictures`);
          return result;
        },
      ),
    };
  } finally {
    colourist.dispose();
  }
};
