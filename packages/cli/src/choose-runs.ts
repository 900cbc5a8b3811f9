import { didYouMean, HourglassError, parseDuration } from '@hourglass/core';
import { type MetricNumbers, type RunHeader, scalarsOf } from '@hourglass/runtime';

/** What `hourglass runs` may be asked for. */
export interface RunChoice {
  pipeline?: string;
  status?: string[];
  since?: string;
  sort?: string;
  reverse?: boolean;
}

export const RUN_STATES = ['running', 'interrupted', 'waiting', 'succeeded', 'failed', 'cancelled'] as const;

/**
 * The runs asked for, in the order they came in.
 * @throws CALL_INVALID for a state or a time that is none
 */
export function filterRuns(runs: readonly RunHeader[], choice: RunChoice, now: number): RunHeader[] {
  for (const status of choice.status ?? [])
    if (!(RUN_STATES as readonly string[]).includes(status)) {
      const near = didYouMean(status, [...RUN_STATES]);
      throw new HourglassError(
        'CALL_INVALID',
        `--status: expected one of ${RUN_STATES.join(', ')}, found "${status}".${near ? ` Did you mean ${near}?` : ''}`,
      );
    }
  const from = choice.since === undefined ? -Infinity : timeOf(choice.since, now);
  return runs.filter(
    ({ pipeline, status, startedAt }) =>
      (choice.pipeline === undefined || pipeline === choice.pipeline) &&
      (!choice.status?.length || choice.status.includes(status)) &&
      Date.parse(startedAt) >= from,
  );
}

/** `7d` back from now, or an ISO 8601 date. */
function timeOf(since: string, now: number): number {
  const back = parseDuration(since);
  const at = back === undefined ? Date.parse(since) : now - back;
  // Date.parse takes many texts; what is meant here begins with a year.
  if (Number.isNaN(at) || (back === undefined && !/^\d{4}-\d\d/.test(since)))
    throw new HourglassError(
      'CALL_INVALID',
      `--since: expected a duration back such as 12h or 7d, or a date such as 2026-11-24, found "${since}".`,
    );
  return at;
}

/** Keys that sort without looking into results, with the direction one wants first. */
const KEYS: Record<string, (a: RunHeader, b: RunHeader) => number> = {
  when: (a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt),
  time: (a, b) => duration(b) - duration(a),
  pipeline: (a, b) => a.pipeline.localeCompare(b.pipeline),
};

const duration = ({ startedAt, finishedAt }: RunHeader): number =>
  finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : -1;

/** Whether sorting so needs the metrics of the runs. */
export const sortsByMetric = (sort: string | undefined): sort is string =>
  sort !== undefined && !Object.hasOwn(KEYS, sort);

/**
 * Sorts runs. Those without the metric come last, whichever way round.
 *
 * @param metrics numbers of each run by name, where the key is a metric
 * @throws CALL_INVALID when no run has the metric
 */
export function sortRuns(
  runs: readonly RunHeader[],
  { sort = 'when', reverse = false }: RunChoice,
  metrics: ReadonlyMap<string, MetricNumbers> = new Map(),
): RunHeader[] {
  const way = reverse ? -1 : 1;
  if (!sortsByMetric(sort)) return [...runs].sort((a, b) => way * KEYS[sort]!(a, b));
  const valueOf = ({ id }: RunHeader): number => {
    const numbers = metrics.get(id) ?? {};
    return Object.hasOwn(numbers, sort) ? (numbers[sort] ?? Number.NaN) : Number.NaN;
  };
  if (runs.length > 0 && runs.every((run) => Number.isNaN(valueOf(run)))) {
    const known = [...new Set([...metrics.values()].flatMap((numbers) => Object.keys(numbers)))].sort();
    const near = didYouMean(sort, [...Object.keys(KEYS), ...known]);
    throw new HourglassError(
      'CALL_INVALID',
      `--sort: expected ${Object.keys(KEYS).join(', ')} or a metric of these runs (${known.slice(0, 12).join(', ') || 'they have none'}), found "${sort}".${near ? ` Did you mean ${near}?` : ''}`,
    );
  }
  return [...runs].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return way * (x - y);
  });
}

/**
 * The numbers that say how a run went: those of the last stage with baselines; else of the last that has some. What a gate
 * names stands in front. Where runs are sorted by a metric, those of the last stage that has it, unless they have it.
 *
 * @param values metrics of the run's stages, in order
 * @param gates conditions of the run's gates
 */
export function keyNumbers(values: readonly unknown[], gates: readonly string[], sort?: string): MetricNumbers {
  const compared = values.filter((value) => typeof value === 'object' && value !== null && 'baselines' in value);
  const numbers = inFront(namedBy(gates), scalarsOf(compared.at(-1) ?? values.at(-1)));
  if (!sortsByMetric(sort) || Object.hasOwn(numbers, sort)) return numbers;
  return values.map(scalarsOf).findLast((other) => Object.hasOwn(other, sort)) ?? numbers;
}

/** Metrics that conditions read, in their order: `metrics.rmse`. */
const namedBy = (gates: readonly string[]): string[] =>
  gates.flatMap((gate) => [...gate.matchAll(/\bmetrics\.(\w+)/g)].map(([, name]) => name!));

const inFront = (names: readonly string[], numbers: MetricNumbers): MetricNumbers => ({
  ...Object.fromEntries(names.flatMap((name) => (Object.hasOwn(numbers, name) ? [[name, numbers[name]!]] : []))),
  ...numbers,
});
