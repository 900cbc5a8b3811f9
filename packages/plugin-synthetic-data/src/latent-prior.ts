import { hostRandom } from '@hourglass/engine';
import { fitGaussianMixture, mixtureLogDensity, type GaussianMixture, type NumberMatrix } from '@hourglass/metrics';
import { mean } from './mean.ts';

/** Rows a mixture is fitted on at most. */
const ROWS = 8000;
/** Every fourth row judges. */
const JUDGED = 4;
const SIZES = [1, 4, 10, 20, 40];

/**
 * The aggregate posterior as a Gaussian mixture: draws of the rows' latents, each with its own deviation, described by as
 * many components as tell rows put aside best. Decoding from it leaves no hole between prior and posterior.
 * Source: ex-post density estimation (Ghosh et al., ICLR 2020).
 *
 * @param mu, logVar `[n, d]`
 */
export function fitLatentPrior(
  { mu, logVar }: { mu: Float32Array; logVar: Float32Array },
  d: number,
  seed: number,
): GaussianMixture {
  const n = mu.length / d;
  const random = hostRandom(seed, 21);
  const step = Math.max(1, n / ROWS);
  const rows = Math.min(n, ROWS);
  // A table of few rows is drawn from several times.
  const repeats = Math.max(1, Math.min(20, Math.floor(2000 / rows)));
  const data = new Float64Array(rows * repeats * d);
  for (let r = 0, at = 0; r < repeats; r++)
    for (let i = 0; i < rows; i++) {
      const from = Math.floor(i * step) * d;
      for (let j = 0; j < d; j++) data[at++] = mu[from + j]! + Math.exp(0.5 * logVar[from + j]!) * random.normal();
    }
  const whole: NumberMatrix = { rows: rows * repeats, cols: d, data };
  // The same row's draws stay on one side.
  const [fit, judge] = [pick(whole, (i) => (i % rows) % JUDGED !== 0), pick(whole, (i) => (i % rows) % JUDGED === 0)];
  let best = { size: 1, density: -Infinity };
  for (const size of SIZES) {
    if (size > 1 && fit.rows < size * Math.max(20, 2 * d)) break;
    const mixture = fitGaussianMixture(fit, hostRandom(seed, 22).uniform, {
      components: size,
      iterations: 40,
      tolerance: 1e-3,
    });
    const density = judge.rows > 0 ? mean(mixtureLogDensity(mixture, judge)) : -size;
    if (density > best.density) best = { size, density };
  }
  return fitGaussianMixture(whole, hostRandom(seed, 22).uniform, {
    components: best.size,
    iterations: 60,
    tolerance: 1e-3,
  });
}

/** N(0, I) as a mixture of one component. */
export function standardNormal(d: number): GaussianMixture {
  const factors = new Float64Array(d * d);
  for (let j = 0; j < d; j++) factors[j * d + j] = 1;
  return { dims: d, weights: Float64Array.of(1), means: new Float64Array(d), factors };
}

function pick({ rows, cols, data }: NumberMatrix, wanted: (row: number) => boolean): NumberMatrix {
  const chosen = Array.from({ length: rows }, (_, i) => i).filter(wanted);
  const out = new Float64Array(chosen.length * cols);
  chosen.forEach((row, i) => {
    for (let j = 0; j < cols; j++) out[i * cols + j] = data[row * cols + j]!;
  });
  return { rows: chosen.length, cols, data: out };
}
