import { HourglassError } from '@hourglass/core';
import type { ColumnData, Table } from '@hourglass/dataset';
import { drawUniform, hostRandom } from '@hourglass/engine';

export type Mechanism = 'mcar' | 'mar' | 'mnar';

/**
 * Which cells a mask hides, as a pure function of seed, row number and (mar, mnar) values: any chunk of rows can be
 * masked by itself and gives the same cells.
 */
export interface HidingPlan {
  seed: number;
  rate: number;
  targets: Target[];
  /** Columns whose values the plan reads; none for mcar. */
  reads: string[];
}

interface Target {
  name: string;
  /** Place among the columns asked for: names the stream of random numbers. */
  stream: number;
  /** Logit of hiding = intercept + Σ weight · score(value); absent for mcar. */
  logit?: { intercept: number; drivers: { column: string; weight: number }[] };
}

/** How values of a column become scores with mean 0 and deviation 1. */
type Scale = { kind: 'numeric'; mean: number; deviation: number } | { kind: 'category'; score: Map<string, number> };

/** How steeply values decide (mar, mnar): one deviation changes the odds by e². */
const STEEPNESS = 2;
/** Share of columns that mar never hides and lets decide. Source: Muzellec et al., ICML 2020. */
const DRIVER_SHARE = 0.3;

/**
 * Decides how cells of `columns` are hidden.
 *
 * - mcar: every cell with chance `rate`, whatever its value.
 * - mar: a third of the columns stay whole and decide, by a logistic model of their values, which cells of the others go.
 * - mnar: a cell's own value decides: high numbers and rare categories go more often.
 *
 * @param sample - rows to set the levels on (mar, mnar), so that the share hidden is `rate` of the cells that can be
 * @throws DATA_INSUFFICIENT when mar has no second column to decide
 */
export function planHiding(
  columns: readonly string[],
  options: { rate: number; mechanism: Mechanism },
  seed: number,
  sample?: Table,
): HidingPlan & { scales: Record<string, Scale> } {
  const { rate, mechanism } = options;
  const names = columns.map((name, stream) => ({ name, stream }));
  if (mechanism === 'mcar' || !sample) return { seed, rate, targets: names, reads: [], scales: {} };
  const random = hostRandom(seed, 1);
  const scales = Object.fromEntries(columns.map((name) => [name, fitScale(sample.columns[name]!)]));
  if (mechanism === 'mnar') {
    const targets = names.map((target) => {
      const drivers = [{ column: target.name, weight: STEEPNESS }];
      return { ...target, logit: { intercept: level(target.name, drivers, sample, scales, rate), drivers } };
    });
    return { seed, rate, targets, reads: [...columns], scales };
  }
  if (columns.length < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `imputation/mask: mechanism mar needs columns that stay whole beside those it hides, found ${columns.length} column(s) (${columns.join(', ')}); name more columns, or use mcar or mnar`,
    );
  const whole = new Set(shuffled(columns, random).slice(0, Math.max(1, Math.round(columns.length * DRIVER_SHARE))));
  const targets = names
    .filter(({ name }) => !whole.has(name))
    .map((target) => {
      const drivers = [...whole].map((column) => ({
        column,
        weight: ((random.uniform() < 0.5 ? -1 : 1) * STEEPNESS) / Math.sqrt(whole.size),
      }));
      return { ...target, logit: { intercept: level(target.name, drivers, sample, scales, rate), drivers } };
    });
  return { seed, rate, targets, reads: [...columns], scales };
}

/**
 * Draws for rows `firstRow …` of the table: 1 where the cell is to be hidden. Missing cells may be among them.
 * @param rows - number of rows
 * @param table - the columns the plan reads
 */
export function drawHidden(
  plan: HidingPlan & { scales: Record<string, Scale> },
  rows: number,
  firstRow: number,
  table?: Table,
): Record<string, Uint8Array> {
  return Object.fromEntries(
    plan.targets.map(({ name, stream, logit }) => {
      const draws = drawUniform({ seed: plan.seed, domain: 'host', step: stream, call: 2 }, rows, firstRow);
      const hidden = new Uint8Array(rows);
      for (let i = 0; i < rows; i++) {
        const chance = logit ? sigmoid(logitOf(logit, table!, plan.scales, i)) : plan.rate;
        hidden[i] = draws[i]! < chance ? 1 : 0;
      }
      return [name, hidden];
    }),
  );
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

function logitOf(
  { intercept, drivers }: NonNullable<Target['logit']>,
  table: Table,
  scales: Record<string, Scale>,
  row: number,
): number {
  let sum = intercept;
  for (const { column, weight } of drivers) sum += weight * scoreOf(table.columns[column]!, scales[column]!, row);
  return sum;
}

/** Missing values and categories not in the sample say nothing: 0. */
function scoreOf(data: ColumnData, scale: Scale, row: number): number {
  if (data.kind === 'numeric' && scale.kind === 'numeric') {
    const value = (data.values[row]! - scale.mean) / scale.deviation;
    return Number.isFinite(value) ? value : 0;
  }
  if (data.kind === 'category' && scale.kind === 'category' && data.codes[row]! >= 0)
    return scale.score.get(data.categories[data.codes[row]!]!) ?? 0;
  return 0;
}

function fitScale(data: ColumnData): Scale {
  if (data.kind === 'numeric') {
    const values = data.values.filter(Number.isFinite);
    const mean = values.reduce((sum, value) => sum + value / values.length, 0);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
    return { kind: 'numeric', mean, deviation: Math.sqrt(variance) || 1 };
  }
  // Categories by rank of frequency, so that rare ones score high; equal counts by name, so that order does not matter.
  const counts = new Map(data.categories.map((category) => [category, 0]));
  for (const code of data.codes)
    if (code >= 0) counts.set(data.categories[code]!, counts.get(data.categories[code]!)! + 1);
  const ranked = [...counts].filter(([, count]) => count > 0).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const total = ranked.reduce((sum, [, count]) => sum + count, 0);
  const mean = ranked.reduce((sum, [, count], rank) => sum + (rank * count) / total, 0);
  const variance = ranked.reduce((sum, [, count], rank) => sum + ((rank - mean) ** 2 * count) / total, 0);
  const deviation = Math.sqrt(variance) || 1;
  return { kind: 'category', score: new Map(ranked.map(([category], rank) => [category, (rank - mean) / deviation])) };
}

/** Intercept at which the mean chance over the sample's observed cells is `rate`, by bisection. */
function level(
  name: string,
  drivers: { column: string; weight: number }[],
  sample: Table,
  scales: Record<string, Scale>,
  rate: number,
): number {
  const data = sample.columns[name]!;
  const logits: number[] = [];
  for (let i = 0; i < sample.rows; i++)
    if (data.kind === 'numeric' ? !Number.isNaN(data.values[i]!) : data.codes[i]! >= 0)
      logits.push(logitOf({ intercept: 0, drivers }, sample, scales, i));
  let low = -100;
  let high = 100;
  for (let round = 0; round < 60 && logits.length > 0; round++) {
    const middle = (low + high) / 2;
    const mean = logits.reduce((sum, value) => sum + sigmoid(value + middle), 0) / logits.length;
    if (mean < rate) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function shuffled(items: readonly string[], random: { uniform(): number }): string[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
