/** Numbers over a picture, row by row, channels interleaved, `[height, width, channels]`; brightness is 0…1. */
export interface Samples {
  width: number;
  height: number;
  channels: number;
  values: Float32Array;
}

/** Mean squared difference of two pictures of one size. */
export function meanSquaredError(a: Samples, b: Samples): number {
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += (a.values[i]! - b.values[i]!) ** 2;
  return sum / a.values.length;
}

/** Peak signal-to-noise ratio in dB of a mean squared error of samples in 0…1; equal pictures count as 100 dB. */
export const psnrOf = (error: number): number => (error <= 1e-10 ? 100 : -10 * Math.log10(error));

const SIDE = 7;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/**
 * Structural similarity, mean over channels and all windows of 7 × 7 that lie within the picture (smaller pictures: of the
 * largest odd side), with sample covariance. Source: Wang et al. 2004, as scikit-image's `structural_similarity` has it.
 */
export function ssim(a: Samples, b: Samples): number {
  const { width, height, channels } = a;
  const side = Math.min(SIDE, 2 * Math.floor((Math.min(width, height) - 1) / 2) + 1);
  const count = side * side;
  const unbiased = count > 1 ? count / (count - 1) : 1;
  let total = 0;
  let windows = 0;
  for (let k = 0; k < channels; k++) {
    const at = (s: Samples, x: number, y: number): number => s.values[(y * width + x) * channels + k]!;
    for (let top = 0; top + side <= height; top++)
      for (let left = 0; left + side <= width; left++) {
        let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
        for (let y = top; y < top + side; y++)
          for (let x = left; x < left + side; x++) {
            const [va, vb] = [at(a, x, y), at(b, x, y)];
            sa += va;
            sb += vb;
            saa += va * va;
            sbb += vb * vb;
            sab += va * vb;
          }
        const [ma, mb] = [sa / count, sb / count];
        const va = unbiased * (saa / count - ma * ma);
        const vb = unbiased * (sbb / count - mb * mb);
        const cov = unbiased * (sab / count - ma * mb);
        total += ((2 * ma * mb + C1) * (2 * cov + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
        windows++;
      }
  }
  return total / windows;
}

/** Scores over pictures: PSNR of the pooled error, mean PSNR and mean SSIM. */
export interface PictureScore {
  psnr: number;
  meanPsnr: number;
  ssim: number;
}

/** Collects pictures one by one. */
export function pictureScorer(): { add(truth: Samples, answer: Samples): number; score(): PictureScore } {
  let [error, samples, psnr, similarity, pictures] = [0, 0, 0, 0, 0];
  return {
    add(truth, answer) {
      const one = meanSquaredError(truth, answer);
      error += one * truth.values.length;
      samples += truth.values.length;
      psnr += psnrOf(one);
      similarity += ssim(truth, answer);
      pictures++;
      return psnrOf(one);
    },
    score: () => ({ psnr: psnrOf(error / samples), meanPsnr: psnr / pictures, ssim: similarity / pictures }),
  };
}
