import type { Samples } from './picture-quality.ts';

const like = (image: Samples, values: Float32Array = new Float32Array(image.values.length)): Samples => ({
  ...image,
  values,
});
/** Mirrored at the edge: d c b a | a b c d. */
const mirrored = (i: number, size: number): number => {
  const period = 2 * size;
  const j = ((i % period) + period) % period;
  return j < size ? j : period - 1 - j;
};

/** Gaussian blur of standard deviation `sigma` pixels, cut at 4 σ, mirrored edges. */
export function gaussianFilter(image: Samples, sigma: number): Samples {
  const radius = Math.max(1, Math.round(4 * sigma));
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = kernel.reduce((a, b) => a + b, 0);
  const { width, height, channels } = image;
  const pass = (from: Float32Array, along: 'x' | 'y'): Float32Array => {
    const to = new Float32Array(from.length);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let k = 0; k < channels; k++) {
          let value = 0;
          for (let d = -radius; d <= radius; d++) {
            const [sx, sy] = along === 'x' ? [mirrored(x + d, width), y] : [x, mirrored(y + d, height)];
            value += kernel[d + radius]! * from[(sy * width + sx) * channels + k]!;
          }
          to[(y * width + x) * channels + k] = value / sum;
        }
    return to;
  };
  return like(image, pass(pass(image.values, 'x'), 'y'));
}

/** Median of the square of side 2 · radius + 1 around each pixel, mirrored edges. */
export function medianFilter(image: Samples, radius: number): Samples {
  const { width, height, channels } = image;
  const result = like(image);
  const around = new Float32Array((2 * radius + 1) ** 2);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < channels; k++) {
        let n = 0;
        for (let dy = -radius; dy <= radius; dy++)
          for (let dx = -radius; dx <= radius; dx++)
            around[n++] = image.values[(mirrored(y + dy, height) * width + mirrored(x + dx, width)) * channels + k]!;
        around.sort();
        result.values[(y * width + x) * channels + k] = around[n >> 1]!;
      }
  return result;
}

/** Total-variation denoising of each channel, `weight` the strength. Source: Chambolle 2004, projected dual gradient, 60 steps. */
export function totalVariation(image: Samples, weight: number): Samples {
  const { width, height, channels } = image;
  const result = like(image);
  const n = width * height;
  const [px, py, u] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < channels; k++) {
    px.fill(0);
    py.fill(0);
    for (let step = 0; step < 60; step++) {
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const i = y * width + x;
          const divergence = px[i]! - (x > 0 ? px[i - 1]! : 0) + py[i]! - (y > 0 ? py[i - width]! : 0);
          u[i] = image.values[i * channels + k]! + weight * divergence;
        }
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const i = y * width + x;
          const gx = x + 1 < width ? u[i + 1]! - u[i]! : 0;
          const gy = y + 1 < height ? u[i + width]! - u[i]! : 0;
          const scale = 1 + (0.25 / weight) * Math.hypot(gx, gy);
          px[i] = (px[i]! + (0.25 / weight) * gx) / scale;
          py[i] = (py[i]! + (0.25 / weight) * gy) / scale;
        }
    }
    for (let i = 0; i < n; i++) result.values[i * channels + k] = u[i]!;
  }
  return result;
}
