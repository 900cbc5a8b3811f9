import { putFigures } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { pictureFigures, readImages, type RawImage } from '@hourglass/images';
import { colourfulness } from '@hourglass/metrics';
import { HourglassError, type StageContext, type StageRun } from '@hourglass/plugin-kit';
import type { evaluate } from './index.ts';
import { openColourist, type Colourist } from './open-colourist.ts';
import { colourScorer, meanColours } from './score-colours.ts';

const STAGE = 'colorization/evaluate';
/** Pictures the mean colours are learned from. */
const REFERENCE = 10_000;

export const run: StageRun<typeof evaluate> = async (context, { data, model, reference }, options) => {
  const colourist = await openColourist(context, model, options);
  try {
    context.progress(0, 'learning the mean colour of each lightness');
    const mean = meanColours();
    for await (const { image } of pictures(context, reference ?? data, options.column, REFERENCE)) mean.add(image.data);
    const scorers = { grey: colourScorer(), mean: colourScorer(), ours: colourScorer() };
    const shown: RawImage[][] = [];
    const quality: number[] = [];
    let lively = 0;
    const total = Math.min(data.rows ?? 0, options.maxImages);
    for await (const { row, image } of pictures(context, data, options.column, options.maxImages)) {
      context.signal.throwIfAborted();
      const answers = await colourings(colourist, image, mean);
      scorers.grey.add(image.data, answers.grey.data);
      scorers.mean.add(image.data, answers.mean.data);
      quality.push(scorers.ours.add(image.data, answers.ours.data));
      lively += colourfulness(image.data);
      shown.push([answers.grey, answers.mean, answers.ours, image]);
      if (row % 32 === 0) context.progress(row / total, `coloured ${row + 1} of ${total} pictures`);
    }
    if (quality.length === 0) throw new HourglassError('DATA_INSUFFICIENT', `${STAGE}: the dataset holds no pictures.`);
    const score = scorers.ours.score();
    const baselines = { grey: scorers.grey.score(), mean: scorers.mean.score() };
    return {
      metrics: {
        ...score,
        images: quality.length,
        truth: { colourfulness: lively / quality.length },
        baselines,
        gain: score.psnr - Math.max(baselines.grey.psnr, baselines.mean.psnr),
      },
      figures: await putFigures(
        context.artifacts,
        await pictureFigures(quality, (i) => shown[i]!, 'grey, mean colour, answer, truth'),
      ),
    };
  } finally {
    colourist.dispose();
  }
};

const pictures = (context: StageContext, ref: ArtifactRef, column: string | undefined, most: number) =>
  readImages(context.artifacts, ref, { where: STAGE, column, channels: 3, limit: most });

async function colourings(
  colourist: Colourist,
  image: RawImage,
  mean: ReturnType<typeof meanColours>,
): Promise<{ grey: RawImage; mean: RawImage; ours: RawImage }> {
  const light = colourist.lightness(image);
  const plane = (values: Float32Array) => ({ ...light, channels: 2, values });
  return {
    grey: colourist.paint(light, plane(new Float32Array(2 * light.values.length))),
    mean: colourist.paint(light, plane(mean.of(light.values))),
    ours: colourist.paint(light, await colourist.colours(light, [])),
  };
}
