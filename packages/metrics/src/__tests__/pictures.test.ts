import { expect, test } from 'vitest';
import { gaussianFilter, medianFilter, totalVariation } from '../images/filters.ts';
import { fitPatchBasis, pcaWiener } from '../images/pca-wiener.ts';
import { meanSquaredError, pictureScorer, psnrOf, ssim, type Samples } from '../images/picture-quality.ts';

/** The numbers that the reference figures were computed from. */
function noise(n: number): Float32Array {
  let state = 12345n;
  return Float32Array.from({ length: n }, () => {
    state = (state * 1103515245n + 12345n) % 2n ** 31n;
    return Number((state >> 8n) % 256n) / 255;
  });
}
const a: Samples = { width: 12, height: 10, channels: 3, values: noise(360) };
const b: Samples = {
  ...a,
  values: a.values.map((value, i) => Math.min(1, value * 0.8 + 0.1 * a.values[359 - i]!)),
};
const channel = (image: Samples): Samples => ({
  ...image,
  channels: 1,
  values: Float32Array.from({ length: 120 }, (_, i) => image.values[3 * i]!),
});

test('structural similarity is that of scikit-image', () => {
  // skimage.metrics.structural_similarity(a, b, channel_axis=2, data_range=1), scikit-image 0.26
  expect(ssim(a, b)).toBeCloseTo(0.9629078387, 4);
  expect(ssim(a, a)).toBeCloseTo(1, 9);
});

test('blur and median are those of SciPy, at the edges too', () => {
  const blurred = gaussianFilter(channel(a), 1).values;
  expect(blurred[3 * 12 + 4]).toBeCloseTo(0.464561483, 4);
  expect(blurred[0]).toBeCloseTo(0.4088558986, 4);
  const median = medianFilter(channel(a), 1).values;
  expect(median[3 * 12 + 4]).toBeCloseTo(0.352941176, 6);
  expect(median[0]).toBeCloseTo(0.588235294, 6);
});

test('PSNR pools errors before the logarithm; equal pictures count as 100 dB', () => {
  expect(psnrOf(0.01)).toBeCloseTo(20, 9);
  const scorer = pictureScorer();
  const half: Samples = { width: 2, height: 2, channels: 1, values: new Float32Array(4).fill(0.5) };
  scorer.add(half, half);
  scorer.add(half, { ...half, values: new Float32Array(4).fill(0.6) });
  expect(scorer.score().psnr).toBeCloseTo(23.01, 2);
  expect(scorer.score().meanPsnr).toBeCloseTo(60, 1);
});

test('on smooth pictures with noise each filter helps, and the fitted one most', () => {
  const side = 24;
  const smooth = (phase: number): Samples => ({
    width: side,
    height: side,
    channels: 1,
    values: Float32Array.from(
      { length: side * side },
      (_, i) => 0.5 + 0.3 * Math.sin(phase + (i % side) / 4) * Math.cos(phase + Math.floor(i / side) / 5),
    ),
  });
  const draws = noise(4 * side * side);
  const gaussian = Float32Array.from(
    { length: side * side },
    (_, i) => 0.1 * (draws[4 * i]! + draws[4 * i + 1]! + draws[4 * i + 2]! + draws[4 * i + 3]! - 2) * Math.sqrt(3),
  );
  const truth = smooth(9);
  const noisy: Samples = { ...truth, values: truth.values.map((value, i) => value + gaussian[i]!) };
  const error = (image: Samples): number => meanSquaredError(truth, image);
  const before = error(noisy);
  expect(error(gaussianFilter(noisy, 1))).toBeLessThan(0.3 * before);
  expect(error(medianFilter(noisy, 1))).toBeLessThan(0.5 * before);
  expect(error(totalVariation(noisy, 0.1))).toBeLessThan(0.5 * before);
  const basis = fitPatchBasis(
    Array.from({ length: 8 }, (_, i) => smooth(i)),
    6,
  );
  expect(error(pcaWiener(basis, 0.1)(noisy))).toBeLessThan(error(gaussianFilter(noisy, 1)));
});
