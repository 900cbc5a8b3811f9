import { imagePredictor, loadImageModel } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { GREY_LIGHTNESS, labToRgb, rgbToLab, type RawImage } from '@hourglass/images';
import type { Samples } from '@hourglass/metrics';
import { HourglassError, type StageContext } from '@hourglass/plugin-kit';
import type { Tensor } from '@tensorflow/tfjs';
import { TEMPERATURE } from './annealing.ts';
import { COLOUR, colours, scaledLight, type ColourFit } from './colour-model.ts';

/** A colour known at a place. */
export interface Hint {
  x: number;
  y: number;
  /** `#rrggbb` */
  colour: string;
  radius: number;
}

/** A colorization model ready for pictures of any size. Dispose it after use. */
export interface Colourist {
  /** a*, b* of each pixel, `[h, w, 2]`. */
  colours(light: Samples, hints: readonly Hint[]): Promise<Samples>;
  /** Lightness of a picture, `[h, w, 1]`: 0…100. */
  lightness(image: RawImage): Samples;
  /** A picture in colour with that lightness. */
  paint(light: Samples, ab: Samples): RawImage;
  dispose(): void;
}

export async function openColourist(
  context: StageContext,
  ref: ArtifactRef,
  options: { temperature?: number; selfEnsemble?: boolean },
): Promise<Colourist> {
  const model = await loadImageModel(context.artifacts, ref);
  const fitted = model.description.fitted as unknown as ColourFit;
  const { temperature = TEMPERATURE } = options;
  if (options.temperature !== undefined && !fitted.bins)
    refuse(
      'colorization: temperature',
      'of a faithful model there is one colour only. Leave it out, or train with head: vivid.',
    );
  const read = (input: Tensor, net: (x: Tensor) => Tensor): Tensor => colours(net(input), fitted, temperature);
  const predictor = imagePredictor(await context.engine(), model, read, options);
  return {
    lightness,
    paint,
    colours(light, hints) {
      if (hints.length > 0 && !fitted.hints)
        refuse('colorization/colorize: hints', 'the model was trained without. Train it with hints: 0.02.');
      const { width, height } = light;
      const outside = hints.find(({ x, y }) => x >= width || y >= height);
      if (outside)
        refuse(
          'colorization/colorize: hints',
          `(${outside.x}, ${outside.y}) lies outside of a picture of ${width} × ${height}; (0, 0) is at the top left.`,
        );
      return predictor.run(fitted.hints ? withHints(light, hints) : scaled(light));
    },
    dispose: () => predictor.dispose(),
  };
}

function refuse(option: string, why: string): never {
  throw new HourglassError('OPTION_INVALID', `${option}: ${why}`);
}

const scaled = (light: Samples): Samples => ({ ...light, values: light.values.map(scaledLight) });

function withHints({ width, height, values }: Samples, hints: readonly Hint[]): Samples {
  const wide = new Float32Array(width * height * 4);
  for (let i = 0; i < width * height; i++) wide[4 * i] = scaledLight(values[i]!);
  for (const { x, y, colour, radius } of hints) {
    const [, a, b] = rgbToLab(Uint8Array.from([1, 3, 5], (at) => parseInt(colour.slice(at, at + 2), 16)));
    for (let row = Math.max(0, y - radius); row <= Math.min(height - 1, y + radius); row++)
      for (let column = Math.max(0, x - radius); column <= Math.min(width - 1, x + radius); column++)
        wide.set([a! / COLOUR, b! / COLOUR, 1], 4 * (row * width + column) + 1);
  }
  return { width, height, channels: 4, values: wide };
}

function lightness({ width, height, channels, data }: RawImage): Samples {
  const values = new Float32Array(width * height);
  if (channels === 1) for (let i = 0; i < values.length; i++) values[i] = GREY_LIGHTNESS[data[i]!]!;
  else {
    const lab = rgbToLab(data);
    for (let i = 0; i < values.length; i++) values[i] = lab[3 * i]!;
  }
  return { width, height, channels: 1, values };
}

function paint({ width, height, values }: Samples, ab: Samples): RawImage {
  const lab = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    lab[3 * i] = values[i]!;
    lab[3 * i + 1] = ab.values[2 * i]!;
    lab[3 * i + 2] = ab.values[2 * i + 1]!;
  }
  return { width, height, channels: 3, data: labToRgb(lab) };
}
