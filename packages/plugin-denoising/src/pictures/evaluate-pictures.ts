import { putFigures } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { pictureFigures, readImages, withChannels, type RawImage } from '@hourglass/images';
import { pictureScorer, type Samples } from '@hourglass/metrics';
import { HourglassError, type StageContext } from '@hourglass/plugin-kit';
import { addNoise, toBrightness, toBytes } from './add-noise.ts';
import type { Baseline } from '../evaluate-options.ts';
import { bestBaseline, withinBrightness, type BaselineAnswer } from './baselines.ts';
import type { DenoisingMetrics } from '../metrics-schema.ts';
import { noiseToMeasure } from '../noise-of-kind.ts';
import type { NoiseOptions, PictureNoiseOptions } from '../noise-options.ts';
import { openDenoiser } from './open-denoiser.ts';

const STAGE = 'denoising/evaluate';
/** Values of the pictures that pca-wiener is fitted on, about: 32 MB. */
const REFERENCE = 8_000_000;

/** Adds noise to clean pictures, takes it off, and does the same by classical filters. */
export async function evaluatePictures(
  context: StageContext,
  { data, model, reference }: { data: ArtifactRef; model: ArtifactRef; reference?: ArtifactRef },
  options: Partial<NoiseOptions> & { column?: string; baselines: Baseline[]; maxImages: number; selfEnsemble: boolean },
): Promise<{ metrics: DenoisingMetrics; figures: ArtifactRef }> {
  const denoiser = await openDenoiser(context, model, options);
  try {
    const noise = noiseToMeasure(
      STAGE,
      'pictures',
      denoiser.model.description.options as unknown as PictureNoiseOptions,
      options,
    );
    const read = (ref: ArtifactRef, most: number, values = Infinity) =>
      samples(context, ref, { column: options.column, channels: denoiser.channels, most, values });
    context.progress(0, 'reading the pictures');
    const truth = await read(data, options.maxImages);
    if (truth.length === 0) throw new HourglassError('DATA_INSUFFICIENT', `${STAGE}: the dataset holds no pictures.`);
    const noisy: Samples[] = [];
    const answers: Samples[] = [];
    const quality: number[] = [];
    const [before, ours] = [pictureScorer(), pictureScorer()];
    let levels = 0;
    for (const [i, picture] of truth.entries()) {
      context.signal.throwIfAborted();
      const made = await addNoise(toImage(picture), noise, context.seed, i);
      levels += made.level;
      noisy.push({ ...picture, values: made.values });
      before.add(picture, noisy[i]!);
      answers.push(withinBrightness(await denoiser.clean({ ...picture, values: made.values }, made.level)));
      quality.push(ours.add(picture, answers[i]!));
      if (i % 16 === 0) context.progress(0.5 * (i / truth.length), `cleaned ${i + 1} of ${truth.length} pictures`);
    }
    const level = levels / truth.length;
    const clean = reference ? await read(reference, Infinity, REFERENCE) : truth;
    const baselines: Partial<Record<Baseline, BaselineAnswer>> = {};
    for (const [i, name] of options.baselines.entries()) {
      context.signal.throwIfAborted();
      context.progress(0.5 + 0.5 * (i / options.baselines.length), `trying ${name}`);
      baselines[name] = bestBaseline(name, truth, noisy, clean, deviation(noise, level));
    }
    const best = Object.values(baselines).sort((a, b) => b.psnr - a.psnr)[0];
    const score = ours.score();
    return {
      metrics: {
        ...score,
        images: truth.length,
        level,
        noisy: before.score(),
        baselines: Object.fromEntries(
          Object.entries(baselines).map(([name, { filter: _, ...figures }]) => [name, figures]),
        ),
        gain: score.psnr - (best ?? before.score()).psnr,
      },
      figures: await putFigures(
        context.artifacts,
        await pictureFigures(
          quality,
          (i) => [
            toImage(truth[i]!),
            toImage(noisy[i]!),
            ...(best ? [toImage(best.filter(noisy[i]!))] : []),
            toImage(answers[i]!),
          ],
          `truth, noisy, ${best ? 'best baseline, ' : ''}answer`,
        ),
      ),
    };
  } finally {
    denoiser.dispose();
  }
}

/** About how far noise moves a pixel, for filters that ask. */
const deviation = ({ noise }: PictureNoiseOptions, level: number): number =>
  noise === 'poisson'
    ? Math.sqrt(level / 2)
    : noise === 'salt-and-pepper'
      ? 0.5 * Math.sqrt(level)
      : noise === 'jpeg'
        ? level / 1000
        : level;

/** Pictures of a dataset: the first `most`, or fewer where those have `values` values. */
async function samples(
  context: StageContext,
  ref: ArtifactRef,
  { column, channels, most, values }: { column?: string; channels: 1 | 3; most: number; values: number },
): Promise<Samples[]> {
  const found: Samples[] = [];
  let left = values;
  for await (const { image } of readImages(context.artifacts, ref, {
    where: STAGE,
    column,
    limit: most,
  })) {
    const { width, height, data } = withChannels(image, channels);
    found.push({ width, height, channels, values: toBrightness(data) });
    if ((left -= data.length) <= 0) break;
  }
  return found;
}

const toImage = ({ width, height, channels, values }: Samples): RawImage => ({
  width,
  height,
  channels: channels as 1 | 3,
  data: toBytes(values),
});
