import type { Table } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import type { Model } from '../model/model.ts';
import type { GeneratorPasses } from './generator.ts';
import type { ColumnHead } from './heads.ts';
import { comparedRows } from './targets.ts';
import { binarisedRows } from './vectors.ts';

export interface RowBoundOptions {
  /** Latents drawn for each row: more, and the bound is nearer to the likelihood. */
  samples: number;
  seed: number;
  signal?: AbortSignal;
}

/**
 * Importance-weighted bound of −log p(row) in nats, `[n]`, never below it in expectation and the nearer the more latents are
 * drawn. Elements that are on or off are drawn from their grey values first; numbers count by mode and by the density of
 * their score within it (without its constant), elements of Gaussian lists as densities in the encoder's units.
 * Source: Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders. ICLR 2016.
 *
 * @param table the learned columns of the rows @param given the same, encoded
 */
export async function rowBound(
  { encoder }: Pick<Model, 'encoder'>,
  heads: readonly ColumnHead[],
  passes: GeneratorPasses,
  table: Table,
  given: EncodedTable,
  { samples, seed, signal }: RowBoundOptions,
): Promise<Float64Array> {
  const encoded = binarisedRows(encoder, passes.network, given, hostRandom(seed, 31).uniform);
  const rows = comparedRows(encoder, heads, passes.network.order, encoded, table);
  const { mu, logVar } = await passes.posterior(encoded);
  const d = passes.latentDim;
  const { normal } = hostRandom(seed, 32);
  // Of each row, log Σ weights so far: the largest, and the sum of all over it.
  const largest = new Float64Array(table.rows).fill(-Infinity);
  const total = new Float64Array(table.rows);
  const z = new Float32Array(mu.length);
  for (let sample = 0; sample < samples; sample++) {
    signal?.throwIfAborted();
    const prior = new Float64Array(table.rows);
    for (let at = 0; at < z.length; at++) {
      const noise = normal();
      const value = mu[at]! + Math.exp(0.5 * logVar[at]!) * noise;
      z[at] = value;
      // log N(z; 0, I) − log q(z | row): what is 2π in one is in the other.
      prior[Math.floor(at / d)]! += 0.5 * (noise * noise - value * value + logVar[at]!);
    }
    const nats = await passes.nats(rows, z);
    for (let row = 0; row < table.rows; row++) {
      const weight = prior[row]! - nats[row]!;
      const before = largest[row]!;
      if (weight <= before) total[row]! += Math.exp(weight - before);
      else {
        total[row] = total[row]! * Math.exp(before - weight) + 1;
        largest[row] = weight;
      }
    }
  }
  return total.map((sum, row) => Math.log(samples) - Math.log(sum) - largest[row]!);
}
