import { hostRandom } from '@hourglass/engine';
import type { Samples } from '@hourglass/metrics';
import { expect, it } from 'vitest';
import { bestBaseline } from '../pictures/baselines.ts';

const SIDE = 16;
const random = hostRandom(1);
const pattern = (): number[] => Array.from({ length: SIDE * SIDE }, () => random.uniform());
const [one, other] = [pattern(), pattern()];

/** A picture mixed of two patterns that span it: what a patch shows is known from the picture's other end. */
function mixed(height = SIDE): Samples {
  const share = random.uniform();
  const values = Float32Array.from({ length: SIDE * height }, (_, i) => share * one[i]! + (1 - share) * other[i]!);
  return { width: SIDE, height, channels: 1, values };
}
const noisy = (picture: Samples): Samples => ({
  ...picture,
  values: picture.values.map((value) => value + 0.3 * random.normal()),
});

it('pca-wiener knows whole pictures where they are small squares of one size', () => {
  const reference = Array.from({ length: 300 }, () => mixed());
  const truth = Array.from({ length: 20 }, () => mixed());
  const seen = truth.map(noisy);
  const whole = bestBaseline('pca-wiener', truth, seen, reference, 0.3).psnr;
  const patches = bestBaseline('pca-wiener', truth, seen, [...reference, mixed(SIDE - 1)], 0.3).psnr;
  expect(patches).toBeGreaterThan(12);
  expect(whole).toBeGreaterThan(patches + 3);
});

it('pca-wiener knows no whole picture where the axes are those of the pictures measured', () => {
  const truth = Array.from({ length: 40 }, () => mixed());
  const seen = truth.map(noisy);
  const own = bestBaseline('pca-wiener', truth, seen, truth, 0.3).psnr;
  expect(own).toBeLessThan(bestBaseline('pca-wiener', truth, seen, [...truth], 0.3).psnr - 3);
});
