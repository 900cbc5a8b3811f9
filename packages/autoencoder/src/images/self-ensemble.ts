import { HourglassError } from '@hourglass/core';
import type { Samples } from '@hourglass/metrics';
import type { Augmentation } from './augmentations.ts';

/** Left and right swapped, top and bottom swapped, and after that rows and columns. */
interface View {
  mirror: boolean;
  flip: boolean;
  transpose: boolean;
}

const VIEWS: View[] = Array.from({ length: 8 }, (_, i) => ({
  mirror: i % 2 === 1,
  flip: i % 4 > 1,
  transpose: i > 3,
}));

/** The views of a picture that a model trained with this augmentation knows: 1, 2 or 8, the picture itself first. */
const viewsOf = (augment: Augmentation): View[] => VIEWS.slice(0, { none: 1, mirror: 2, all: 8 }[augment]);

/**
 * Mean of the answers to the views of a picture, each turned back (geometric self-ensemble, Timofte et al. 2016).
 * @param run a picture's answer of the same size
 * @throws OPTION_INVALID where a picture is its only view
 */
export function selfEnsemble(
  augment: Augmentation,
  run: (view: Samples) => Promise<Samples>,
): (input: Samples) => Promise<Samples> {
  const views = viewsOf(augment);
  if (views.length === 1)
    throw new HourglassError(
      'OPTION_INVALID',
      `selfEnsemble: the model was trained with augment: ${augment} and knows no other views of a picture than itself; leave selfEnsemble out, or train with augment: mirror or all`,
    );
  return async (input) => {
    let sum: Samples | undefined;
    for (const view of views) {
      const { mirror, flip, transpose } = view;
      const answer = await run(turn(input, view));
      // Undone in the other order: what swapped columns swaps rows once these have changed places.
      const back = turn(answer, transpose ? { mirror: flip, flip: mirror, transpose } : view);
      sum ??= { ...back, values: new Float32Array(back.values.length) };
      for (let i = 0; i < sum.values.length; i++) sum.values[i]! += back.values[i]! / views.length;
    }
    return sum!;
  };
}

function turn({ width, height, channels, values }: Samples, { mirror, flip, transpose }: View): Samples {
  const [wide, high] = transpose ? [height, width] : [width, height];
  const turned = new Float32Array(values.length);
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      const [row, column] = transpose ? [x, y] : [y, x];
      const from = ((flip ? height - 1 - row : row) * width + (mirror ? width - 1 - column : column)) * channels;
      for (let k = 0; k < channels; k++) turned[(y * wide + x) * channels + k] = values[from + k]!;
    }
  return { width: wide, height: high, channels, values: turned };
}
