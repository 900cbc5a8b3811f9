import type { MetricNumbers, RunHeader } from '@hourglass/runtime';
import { describe, expect, it } from 'vitest';
import { filterRuns, keyNumbers, sortRuns } from '../choose-runs.ts';

const run = (id: string, pipeline: string, status: RunHeader['status'], day: number, minutes: number): RunHeader => ({
  ...{ id, pipeline, status, resumed: 0, params: {}, names: {}, seed: 0, engine: { asked: 'auto' } },
  ...{ baseDir: '', outDir: '', identity: id },
  startedAt: new Date(Date.UTC(2026, 10, day)).toISOString(),
  finishedAt: new Date(Date.UTC(2026, 10, day, 0, minutes)).toISOString(),
});
const runs = [
  run('d', 'letters', 'succeeded', 24, 3),
  run('c', 'letters', 'failed', 23, 9),
  run('b', 'wines', 'succeeded', 20, 1),
  run('a', 'letters', 'cancelled', 2, 5),
];
const now = Date.UTC(2026, 10, 24, 12);
const ids = (found: readonly RunHeader[]): string => found.map(({ id }) => id).join('');

describe('which runs are listed', () => {
  it('by pipeline, state and time, all of them at once', () => {
    expect(ids(filterRuns(runs, {}, now))).toBe('dcba');
    expect(ids(filterRuns(runs, { pipeline: 'letters' }, now))).toBe('dca');
    expect(ids(filterRuns(runs, { status: ['failed', 'cancelled'] }, now))).toBe('ca');
    expect(ids(filterRuns(runs, { since: '2d' }, now))).toBe('dc');
    expect(ids(filterRuns(runs, { since: '2026-11-20' }, now))).toBe('dcb');
    expect(ids(filterRuns(runs, { pipeline: 'letters', status: ['succeeded'], since: '7d' }, now))).toBe('d');
  });
  it('says what it takes where it is asked for something else', () => {
    expect(() => filterRuns(runs, { status: ['fialed'] }, now)).toThrow(
      /--status: .*found "fialed"\. Did you mean failed\?/,
    );
    for (const since of ['yesterday', '7', 'May', '2026'])
      expect(() => filterRuns(runs, { since }, now)).toThrow(/--since: expected a duration back/);
  });
});

describe('in which order', () => {
  const metrics = new Map<string, MetricNumbers>([
    ['d', { rmse: 0.2 }],
    ['c', {}],
    ['b', { rmse: 0.1, accuracy: 0.9 }],
    ['a', { rmse: 0.3 }],
  ]);
  it('newest, longest, by pipeline, or the smallest of a metric first; those without it last either way', () => {
    expect(ids(sortRuns([...runs].reverse(), {}))).toBe('dcba');
    expect(ids(sortRuns(runs, { reverse: true }))).toBe('abcd');
    expect(ids(sortRuns(runs, { sort: 'time' }))).toBe('cadb');
    expect(ids(sortRuns(runs, { sort: 'pipeline' }))).toBe('dcab');
    expect(ids(sortRuns(runs, { sort: 'rmse' }, metrics))).toBe('bdac');
    expect(ids(sortRuns(runs, { sort: 'rmse', reverse: true }, metrics))).toBe('adbc');
  });
  it('by a metric that none of them has: says which there are', () => {
    expect(() => sortRuns(runs, { sort: 'rsme' }, metrics)).toThrow(
      /--sort: expected when, time, pipeline or a metric of these runs \(accuracy, rmse\), found "rsme"\. Did you mean rmse\?/,
    );
    expect(() => sortRuns(runs, { sort: 'toString' }, metrics)).toThrow(/found "toString"/);
    expect(sortRuns([], { sort: 'rsme' })).toEqual([]);
  });
});

describe('which numbers of a run are shown', () => {
  const [ingest, train, evaluate, write] = [
    { rows: 9, time: 4 },
    { loss: 1 },
    { rmse: 2, baselines: { mean: { rmse: 3 } } },
    { bytes: 5 },
  ];
  it('those that were compared, else the last; of a metric that runs are sorted by, the last that have it', () => {
    const values = [ingest, train, evaluate, write];
    expect(keyNumbers(values, [])).toEqual({ rmse: 2 });
    expect(keyNumbers([ingest, train], [])).toEqual({ loss: 1 });
    expect(keyNumbers(values, [], 'loss')).toEqual({ loss: 1 });
    expect(keyNumbers(values, [], 'rmse')).toEqual({ rmse: 2 });
    expect(keyNumbers(values, [], 'toString')).toEqual({ rmse: 2 });
    expect(keyNumbers([], [])).toEqual({});
  });
  it('what a gate names stands in front', () => {
    const evaluate = { coverage: 0.9, mae: 1, rmse: 2, baselines: {} };
    expect(Object.keys(keyNumbers([evaluate], []))).toEqual(['coverage', 'mae', 'rmse']);
    const gate = 'metrics.rmse <= metrics.baselines.mean.rmse && metrics.spread < 1';
    expect(Object.keys(keyNumbers([evaluate], [gate]))).toEqual(['rmse', 'coverage', 'mae']);
  });
  it('a run is sorted by its own time, whatever metric is called so', () => {
    expect(keyNumbers([ingest, train, evaluate, write], [], 'time')).toEqual({ rmse: 2 });
  });
});
