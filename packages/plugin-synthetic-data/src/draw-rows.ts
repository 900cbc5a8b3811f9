import { tableFromHeads, takeTableRows, type GeneratorPasses } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { concatTables, type Table } from '@hourglass/dataset';
import { hostRandom, permutation } from '@hourglass/engine';
import { sampleMixture, type GaussianMixture } from '@hourglass/metrics';
import { drawCombinations } from './combinations.ts';
import { keepsComparisons } from './comparisons.ts';
import { meets, type Condition } from './conditions.ts';
import type { Generator } from './generator-model.ts';
import { rowHashes } from './row-hash.ts';

export interface DrawRequest {
  rows: number;
  seed: number;
  /** Where latents come from. */
  prior: GaussianMixture;
  /** Each asks for an equal share of the rows. One without conditions asks for all. */
  shares: Record<string, Condition>[];
  /** Whether rows that occur once in training are refused. */
  copies: 'refuse' | 'allow';
  /** Elements of lists of numbers: their mean, or drawn as well. */
  elements: 'mean' | 'drawn';
  signal?: AbortSignal;
  progress?(done: number): void;
}

/** Rows in memory at once. */
const CHUNK = 8192;
/** Candidates without a single row that fits before giving up. */
const PATIENCE = 100_000;
/** Candidates a row at most. */
const MOST_CANDIDATES = 5000;

/**
 * Rows of the learned columns, chunk by chunk: latents, cells drawn from their distributions, and of those the rows that
 * keep every rule and condition, which are so drawn from the model given them.
 * @throws DATA_INSUFFICIENT when hardly a row keeps them
 */
export async function* drawRows(
  { model, heads, rules, seen }: Generator,
  passes: GeneratorPasses,
  request: DrawRequest,
): AsyncGenerator<Table> {
  const { encoder } = model;
  const names = encoder.columns.map(({ name }) => name);
  const { seed, prior, shares } = request;
  const refused = new Set(request.copies === 'refuse' ? seen : []);
  let round = 0;
  let done = 0;
  const tally = shares.map(() => ({ candidates: 0, fit: 0, copies: 0 }));

  /** Candidates of one round that fit a share's conditions. */
  const candidates = async (share: number, rows: number): Promise<Table> => {
    const latents = hostRandom(seed, 3 * round);
    const cells = hostRandom(seed, 3 * round + 1);
    const together = hostRandom(seed, 3 * round + 2);
    round++;
    const answers = await passes.distributions(Float32Array.from(sampleMixture(prior, rows, latents)));
    const settled = drawCombinations(rules.combinations, answers.groups, rows, () => together.uniform());
    const table = tableFromHeads(encoder, heads, answers, rows, cells, { settled, elements: request.elements });
    const wanted = meets(shares[share]!, table);
    const keeps = keepsComparisons(rules.comparisons, table);
    const hashes = refused.size > 0 ? rowHashes(table, names) : undefined;
    const fit: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (!wanted(row) || !keeps(row)) continue;
      if (hashes && refused.has(hashes[row]!)) tally[share]!.copies++;
      else fit.push(row);
    }
    tally[share]!.candidates += rows;
    tally[share]!.fit += fit.length;
    return takeTableRows(table, fit);
  };

  const fill = async (share: number, rows: number): Promise<Table> => {
    const parts: Table[] = [];
    for (let missing = rows; missing > 0;) {
      request.signal?.throwIfAborted();
      const { candidates: tried, fit, copies } = tally[share]!;
      if ((fit === 0 && tried >= PATIENCE) || tried > MOST_CANDIDATES * Math.max(fit, 1) + PATIENCE)
        throw new HourglassError(
          'DATA_INSUFFICIENT',
          `synthetic-data/sample: of ${tried} candidates ${fit} kept ${asked(shares[share]!, rules.comparisons.length)}${copies > 0 ? `, ${copies} more would have copied a training row (copies: allow lets them pass)` : ''}; the model has hardly seen such rows. Ask for conditions that occur more often`,
          { details: { candidates: tried, fit, copies } },
        );
      const rate = Math.max(fit / Math.max(tried, 1), 1 / 64);
      const wanted = Math.min(CHUNK, Math.max(64, Math.ceil((1.1 * missing) / (tried === 0 ? 1 : rate))));
      const found = await candidates(share, wanted);
      const taken = Math.min(found.rows, missing);
      if (taken > 0) parts.push(taken < found.rows ? takeTableRows(found, range(taken)) : found);
      missing -= taken;
    }
    return concatTables(parts);
  };

  while (done < request.rows) {
    const rows = Math.min(CHUNK, request.rows - done);
    const parts: Table[] = [];
    for (let share = 0; share < shares.length; share++) {
      const count = Math.floor((rows * (share + 1)) / shares.length) - Math.floor((rows * share) / shares.length);
      if (count > 0) parts.push(await fill(share, count));
    }
    const whole = concatTables(parts);
    yield parts.length > 1 ? takeTableRows(whole, [...permutation(rows, seed, done)]) : whole;
    done += rows;
    request.progress?.(done);
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const asked = (where: Record<string, Condition>, constraints: number): string =>
  [
    ...(Object.keys(where).length > 0 ? [`the conditions ${JSON.stringify(where)}`] : []),
    ...(constraints > 0 ? [`the ${constraints} constraint${constraints > 1 ? 's' : ''}`] : []),
  ].join(' and ') || 'the rules';
