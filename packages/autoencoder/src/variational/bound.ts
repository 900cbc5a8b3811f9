import type { Table } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import type { Model } from '../model/model.ts';
import type { GeneratorPasses } from './generator.ts';
import type { ColumnHead } from './heads.ts';
import { comparedRows } from './targets.ts';
import { binarisedRows, LOG_TWO_PI } from './vectors.ts';

/** Log densities of latents `[n, d]`, `[n]`. */
export type LatentDensity = (z: Float32Array) => ArrayLike<number>;

export interface RowBoundOptions {
  /** What latents are drawn from: each makes another model of the rows, with a bound of its own. */
  priors: readonly LatentDensity[];
  /** Latents drawn for each row: more, and the bound is nearer to the likelihood. */
  samples: number;
  seed: number;
  signal?: AbortSignal;
}

/**
 * Importance-weighted bounds of −log p(row) in nats, `[n]` for each prior, never below it in expectation and the nearer the more
 * latents are drawn. Elements that are on or off are drawn from their grey values first; numbers count by mode and by the
 * density of their score within it (without its constant), elements of Gaussian lists as densities in the encoder's units.
 * Source: Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders. ICLR 2016.
 *
 * @param table the learned columns of the rows @param given the same, encoded
 */
export async function rowBounds(
  { encoder }: Pick<Model, 'encoder'>,
  heads: readonly ColumnHead[],
  passes: GeneratorPasses,
  table: Table,
  given: EncodedTable,
  { priors, samples, seed, signal }: RowBoundOptions,
): Promise<Float64Array[]> {
  const encoded = binarisedRows(encoder, passes.network, given, hostRandom(seed, 31).uniform);
  const rows = comparedRows(encoder, heads, passes.network.order, encoded, table);
  const { mu, logVar } = await passes.posterior(encoded);
  const d = passes.latentDim;
  const { normal } = hostRandom(seed, 32);
  const means = priors.map(() => logMeans(table.rows));
  const z = new Float32Array(mu.length);
  for (let sample = 0; sample < samples; sample++) {
    signal?.throwIfAborted();
    // log q(z | row)
    const own = new Float64Array(table.rows);
    for (let at = 0; at < z.length; at++) {
      const noise = normal();
      z[at] = mu[at]! + Math.exp(0.5 * logVar[at]!) * noise;
      own[Math.floor(at / d)]! -= 0.5 * (noise * noise + logVar[at]! + LOG_TWO_PI);
    }
    const nats = await passes.nats(rows, z);
    priors.forEach((prior, k) => {
      const density = prior(z);
      for (let row = 0; row < table.rows; row++) means[k]!.add(row, density[row]! - own[row]! - nats[row]!);
    });
  }
  return means.map(({ of }) => of(samples).map((value) => -value));
}

/** Running log of the mean of exp, for each row. */
function logMeans(rows: number): { add(row: number, log: number): void; of(count: number): Float64Array } {
  // The largest so far, and the sum of all over it.
  const largest = new Float64Array(rows).fill(-Infinity);
  const total = new Float64Array(rows);
  return {
    add(row, log) {
      const before = largest[row]!;
      if (log <= before) total[row]! += Math.exp(log - before);
      else {
        total[row] = total[row]! * Math.exp(before - log) + 1;
        largest[row] = log;
      }
    },
    of: (count) => total.map((sum, row) => largest[row]! + Math.log(sum) - Math.log(count)),
  };
}
