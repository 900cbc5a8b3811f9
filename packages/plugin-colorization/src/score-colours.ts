import { rgbToLab } from '@hourglass/images';
import { colourfulness, psnrOf } from '@hourglass/metrics';

export interface ColourScore {
  psnr: number;
  abRmse: number;
  colourfulness: number;
}

/** Collects pictures one by one, bytes `[n, 3]`. */
export function colourScorer(): { add(truth: Uint8Array, answer: Uint8Array): number; score(): ColourScore } {
  let [error, samples, abError, lively, pictures] = [0, 0, 0, 0, 0];
  return {
    add(truth, answer) {
      let own = 0;
      for (let i = 0; i < truth.length; i++) own += ((truth[i]! - answer[i]!) / 255) ** 2;
      const [a, b] = [rgbToLab(truth), rgbToLab(answer)];
      for (let i = 0; i < a.length; i += 3) abError += (a[i + 1]! - b[i + 1]!) ** 2 + (a[i + 2]! - b[i + 2]!) ** 2;
      error += own;
      samples += truth.length;
      lively += colourfulness(answer);
      pictures++;
      return psnrOf(own / truth.length);
    },
    score: () => ({
      psnr: psnrOf(error / samples),
      abRmse: Math.sqrt(abError / ((samples / 3) * 2)),
      colourfulness: lively / pictures,
    }),
  };
}

/** The mean a*, b* of each whole lightness 0…100, from pictures. */
export function meanColours(): {
  add(rgb: Uint8Array): void;
  /** a*, b* for lightnesses `[n]`, `[n, 2]` flat. */
  of(light: Float32Array): Float32Array;
} {
  const sums = new Float64Array(101 * 3);
  const at = (light: number): number => 3 * Math.max(0, Math.min(100, Math.round(light)));
  return {
    add(rgb) {
      const lab = rgbToLab(rgb);
      for (let i = 0; i < lab.length; i += 3) {
        const k = at(lab[i]!);
        sums[k]! += lab[i + 1]!;
        sums[k + 1]! += lab[i + 2]!;
        sums[k + 2]!++;
      }
    },
    of: (light) =>
      Float32Array.from({ length: 2 * light.length }, (_, i) => {
        const k = at(light[i >> 1]!);
        return sums[k + (i & 1)]! / Math.max(1, sums[k + 2]!);
      }),
  };
}
