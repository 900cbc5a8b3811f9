import type { ColumnEncoder, NumberEncoder } from '@hourglass/autoencoder';
import type { ColumnData } from '@hourglass/dataset';

/** How far a column has moved from the one a model was trained on. */
export interface ColumnDrift {
  /** Population stability index Σ (q − p) log(q / p) over ten bins of equal training share, or the categories. */
  psi: number;
  /** Largest difference of the distribution functions; of categories, half the sum of differences. */
  ks: number;
  /** Share missing now − share missing in training. */
  missing: number;
  /** Share of values outside the training range, or of categories never seen. */
  unseen: number;
}

/** An empty bin must not make the index infinite. */
const FLOOR = 1e-4;

export function columnDrift(encoder: ColumnEncoder, data: ColumnData): ColumnDrift {
  const rows = data.kind === 'numeric' ? data.values.length : data.codes.length;
  const none = { psi: 0, ks: 0, missing: 0, unseen: 0 };
  if (rows === 0) return none;
  if (encoder.kind === 'number' && data.kind === 'numeric') {
    const values = data.values.filter((value) => !Number.isNaN(value)).sort();
    const missing = 1 - values.length / rows - encoder.missing;
    if (values.length === 0 || encoder.empty) return { ...none, missing };
    return { ...numberDrift(encoder, values), missing };
  }
  const counts = new Map<string, number>();
  let present = 0;
  for (let i = 0; i < rows; i++) {
    const name = nameOf(data, i);
    if (name === undefined) continue;
    present++;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const missing = 1 - present / rows - encoder.missing;
  if (present === 0) return { ...none, missing };
  const expected = expectedShares(encoder);
  let psi = 0;
  let distance = 0;
  let known = 0;
  for (const [name, p] of expected) {
    const q = (counts.get(name) ?? 0) / present;
    known += q;
    psi += term(p, q);
    distance += Math.abs(q - p) / 2;
  }
  const unseen = Math.max(0, 1 - known);
  return { psi: psi + (unseen > 0 ? term(0, unseen) : 0), ks: distance + unseen / 2, missing, unseen };
}

function numberDrift(encoder: NumberEncoder, sorted: Float64Array): Omit<ColumnDrift, 'missing'> {
  const { quantiles } = encoder; // at 0, 0.05 … 1
  const last = quantiles.length - 1;
  const below = (value: number): number => lowerBound(sorted, value) / sorted.length;
  const upTo = (value: number): number => upperBound(sorted, value) / sorted.length;
  let ks = 0;
  for (const value of new Set(quantiles)) {
    // Where several quantiles share a value the distribution jumps: its level is known just before and at the value.
    ks = Math.max(
      ks,
      below(value) - quantiles.indexOf(value) / last,
      quantiles.lastIndexOf(value) / last - upTo(value),
    );
  }
  // Ten bins, each up to every second quantile; equal edges melt into one bin.
  const edges: { to: number; share: number }[] = [];
  let reached = 0;
  for (let k = 2; k <= last; k += 2) {
    const to = quantiles[k]!;
    if (edges.at(-1)?.to === to) continue;
    const level = quantiles.lastIndexOf(to) / last;
    edges.push({ to, share: level - reached });
    reached = level;
  }
  let psi = 0;
  let done = 0;
  edges.forEach(({ to, share }, k) => {
    const cumulative = k === edges.length - 1 ? 1 : upTo(to);
    psi += term(share, cumulative - done);
    done = cumulative;
  });
  return { psi, ks, unseen: below(quantiles[0]!) + 1 - upTo(quantiles[last]!) };
}

const term = (p: number, q: number): number =>
  (Math.max(q, FLOOR) - Math.max(p, FLOOR)) * Math.log(Math.max(q, FLOOR) / Math.max(p, FLOOR));

function expectedShares(encoder: ColumnEncoder): [string, number][] {
  if (encoder.kind === 'boolean')
    return [
      ['0', 1 - encoder.share],
      ['1', encoder.share],
    ];
  if (encoder.kind !== 'category') return [];
  const total = encoder.counts.reduce((sum, count) => sum + count, 0) || 1;
  return encoder.categories.map((name, k) => [name, encoder.counts[k]! / total]);
}

const nameOf = (data: ColumnData, i: number): string | undefined =>
  data.kind === 'numeric'
    ? Number.isNaN(data.values[i]!)
      ? undefined
      : String(data.values[i])
    : data.codes[i]! < 0
      ? undefined
      : data.categories[data.codes[i]!]!;

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function upperBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
