import { describe, expect, it } from 'vitest';
import type { ArtifactRef } from '../artifact.ts';
import { bind } from '../bind.ts';
import { drive } from '../drive.ts';
import type { StageTask } from '../task.ts';
import { fail, good, host, plan, refOf } from './support/host.ts';

const options = { runId: 'r', scheduledAt: '2026-11-24T03:00:00Z' };

const forEach = (settings: string, more = ''): string => `hourglass: v1
name: each
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  train: { uses: imputation/train, with: { data: "\${{ stages.ingest.data }}" } }
  impute:
    uses: imputation/impute
    forEach: { in: "\${{ stages.ingest.data }}", as: part, ${settings} }
    with: { data: "\${{ part }}", model: "\${{ stages.train.model }}" }
${more}`;

const collectsOf = async (text: string, h: ReturnType<typeof host>) => {
  const calls: { kind: string; keys: (string | undefined)[]; missing: string[] }[] = [];
  const collect = h.collect.bind(h);
  h.collect = (kind, entries, missing) => {
    calls.push({ kind, keys: entries.map((e) => e.key), missing });
    return collect(kind, entries, missing);
  };
  const p = plan(text);
  const { state } = await drive(p, bind(p, options), h);
  return { calls, state };
};

describe('forEach over the parts of a dataset', () => {
  it('runs one task a part and collects in the order of the parts, whatever the order they end in', async () => {
    const h = host({
      parts: ['north', 'south', 'west'],
      run: async (task) => {
        if (task.path.includes('north')) await new Promise((resolve) => setTimeout(resolve, 20));
        return good(task);
      },
    });
    const { calls, state } = await collectsOf(forEach('maxParallel: 8'), h);
    expect(state.status).toBe('succeeded');
    expect(h.ran.filter((path) => path.startsWith('impute')).sort()).toEqual([
      'impute[north]',
      'impute[south]',
      'impute[west]',
    ]);
    expect(calls).toEqual([{ kind: 'dataset', keys: ['north', 'south', 'west'], missing: [] }]);
    expect((state.stages.impute!.outputs!.data as ArtifactRef).kind).toBe('dataset');
  });

  it('gives each part a seed of its own that does not hang on the others', async () => {
    const seeds = async (parts: string[]): Promise<Record<string, number>> => {
      const found: Record<string, number> = {};
      const h = host({
        parts,
        run: (task) => {
          found[task.path] = task.seed;
          return good(task);
        },
      });
      await collectsOf(forEach('maxParallel: 1'), h);
      return found;
    };
    const [few, many] = [await seeds(['a', 'b']), await seeds(['c', 'b', 'a'])];
    expect(few['impute[a]']).not.toBe(few['impute[b]']);
    expect(many['impute[a]']).toBe(few['impute[a]']);
  });

  it('never runs more side by side than allowed', async () => {
    let now = 0;
    let most = 0;
    const h = host({
      parts: 12,
      run: async (task) => {
        if (task.path.startsWith('impute')) most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (task.path.startsWith('impute')) now--;
        return good(task);
      },
    });
    await collectsOf(forEach('maxParallel: 3'), h);
    expect(most).toBe(3);
  });

  const broken =
    (...keys: string[]) =>
    (task: StageTask) =>
      keys.some((key) => task.path === `impute[${key}]`)
        ? fail('DATA_INSUFFICIENT', `no rows in ${task.path}`)
        : good(task);

  it('completes within its failure budget, naming the keys that are missing', async () => {
    const h = host({ parts: 10, run: broken('p3', 'p7') });
    const { calls, state } = await collectsOf(forEach('failureBudget: 2'), h);
    expect(state.status).toBe('succeeded');
    expect(state.stages.impute!.fan!.missing).toEqual(['p3', 'p7']);
    expect(calls[0]!.missing).toEqual(['p3', 'p7']);
    expect(calls[0]!.keys).toHaveLength(8);
    expect((state.stages.impute!.outputs!.data as ArtifactRef).missing).toEqual(['p3', 'p7']);
  });

  it('fails beyond its budget after every other item has had its turn', async () => {
    const h = host({ parts: 10, run: broken('p0', 'p3', 'p7') });
    const { state } = await collectsOf(forEach('failureBudget: 2'), h);
    expect(state.status).toBe('failed');
    expect(h.ran.filter((path) => path.startsWith('impute'))).toHaveLength(10);
    expect(state.error).toMatchObject({ code: 'DATA_INSUFFICIENT', path: 'impute' });
    expect(state.error!.message).toMatch(/3 of 10 items failed, 2 are tolerated: p0 .*p3 .*p7/);
  });

  it('takes a share as a budget, and 100 % of failures as a failure all the same', async () => {
    expect(
      (await collectsOf(forEach('failureBudget: "30%"'), host({ parts: 10, run: broken('p1', 'p2', 'p3') }))).state
        .status,
    ).toBe('succeeded');
    expect(
      (await collectsOf(forEach('failureBudget: "20%"'), host({ parts: 10, run: broken('p1', 'p2', 'p3') }))).state
        .status,
    ).toBe('failed');
    const all = host({ parts: 2, run: broken('p0', 'p1') });
    const { state } = await collectsOf(forEach('failureBudget: "100%"'), all);
    expect(state.error!.message).toContain('all 2 items tried failed');
  });

  it('gives up early when nothing works', async () => {
    const h = host({
      parts: 2000,
      run: (task) => (task.path.startsWith('impute') ? fail('DATA_INSUFFICIENT') : good(task)),
    });
    const { state } = await collectsOf(forEach('failureBudget: 3, maxParallel: 4'), h);
    expect(state.status).toBe('failed');
    expect(h.ran.length).toBeLessThan(40);
  });

  it('refuses to go through nothing, or through too much', async () => {
    expect((await collectsOf(forEach('maxParallel: 1'), host({ parts: 0 }))).state.error).toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
    const h = host({ parts: 1 });
    h.listParts = async () => ({ total: 1_000_000, items: [{ key: 'a', ref: refOf('dataset', 1) }] });
    const { state } = await collectsOf(forEach('maxParallel: 1'), h);
    expect(state.error!.message).toContain('1000000 items, at most 100000 are allowed');
  });

  it('finds all items cached without waiting for a turn', async () => {
    const first = host({ parts: 300 });
    await collectsOf(forEach('maxParallel: 2'), first);
    const again = host({ parts: 300, cache: first.cache });
    const { state } = await collectsOf(forEach('maxParallel: 2'), again);
    expect(again.ran).toEqual([]);
    expect(state.status).toBe('succeeded');
  });

  it('collects metrics as a record by key, which a gate can go through', async () => {
    const text = forEach(
      'maxParallel: 4',
      `  evaluate:
    uses: imputation/evaluate
    forEach: { in: "\${{ stages.impute.data }}", as: part }
    with: { imputed: "\${{ part }}", truth: "\${{ part }}" }
    gate: metrics.all(key, metrics[key].rmse < 0.5)
`,
    );
    const passing = await collectsOf(text, host({ parts: 3 }));
    expect(passing.state.status).toBe('succeeded');
    expect(passing.state.stages.evaluate!.metrics!.metrics).toEqual({
      p0: { rmse: 0.05 },
      p1: { rmse: 0.05 },
      p2: { rmse: 0.05 },
    });
    const h = host({
      parts: 3,
      run: (task) => good(task, task.path === 'evaluate[p1]' ? { rmse: 0.9, baselines: {} } : undefined),
    });
    expect((await collectsOf(text, h)).state.error?.code).toBe('GATE_FAILED');
  });

  it('goes through 10 000 items with a small state', async () => {
    const h = host({ parts: 10_000 });
    const p = plan(forEach('maxParallel: 16'));
    let largest = 0;
    let saves = 0;
    h.save = async (state) => {
      if (++saves % 50 === 0) largest = Math.max(largest, JSON.stringify(state).length);
    };
    const { state } = await drive(p, bind(p, options), h);
    expect(state.status).toBe('succeeded');
    expect(h.ran).toHaveLength(10_002);
    expect(state.stages.impute!.fan).toMatchObject({ total: 10_000, done: 10_000, failed: 0 });
    expect(largest).toBeLessThan(250_000);
    expect(JSON.stringify(state).length).toBeLessThan(5_000);
  });
});

describe('the state of a fan-out', () => {
  /** Bytes of the largest state while a run goes through so many parts. */
  const largest = async (parts: number): Promise<number> => {
    const h = host({ parts });
    const p = plan(forEach('maxParallel: 4, failureBudget: "100%"'));
    let bytes = 0;
    h.save = async (state) => void (bytes = Math.max(bytes, JSON.stringify(state).length));
    await drive(p, bind(p, options), h);
    return bytes;
  };

  it('grows by a few bytes an item: those that are open count, not those that were or will be', async () => {
    const [few, many] = [await largest(600), await largest(1800)];
    expect((many - few) / 1200).toBeLessThan(20);
    // As it is: about ten bytes, the keys of parts not yet gone through.
    expect(many).toBeGreaterThan(1000);
  });
});

describe('forEach over a list', () => {
  it('goes through values of the file and of params, by value as key', async () => {
    const text = `hourglass: v1
name: list
params: { dims: { type: list, default: [4, 8] } }
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  train:
    uses: imputation/train
    forEach: { in: "\${{ params.dims }}", as: dim }
    with: { data: "\${{ stages.ingest.data }}", latentDim: "\${{ dim * 2 }}" }
  apply:
    uses: imputation/impute
    forEach: { in: "\${{ stages.train.model }}", as: model }
    with: { data: "\${{ stages.ingest.data }}", model: "\${{ model }}" }
`;
    const dims: Record<string, unknown> = {};
    const h = host({
      run: (task) => {
        dims[task.path] = task.options.latentDim;
        return good(task);
      },
    });
    const p = plan(text);
    const { state } = await drive(p, bind(p, options), h);
    expect(state.status).toBe('succeeded');
    expect(dims).toMatchObject({ 'train[4]': 8, 'train[8]': 16 });
    expect(state.stages.train!.outputs!.model).toHaveLength(2);
    expect(h.ran).toContain('apply[1]');
  });
});

describe('sweep', () => {
  const sweep = (settings: string): string => `hourglass: v1
name: sweep
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  train:
    uses: imputation/train
    sweep: ${settings}
    with: { data: "\${{ stages.ingest.data }}", latentDim: "\${{ point }}" }
  impute: { uses: imputation/impute, with: { data: "\${{ stages.ingest.data }}", model: "\${{ stages.train.model }}" } }
`;
  const losses = (by: Record<number, number | undefined>) =>
    host({
      run: (task) => {
        if (task.uses !== 'imputation/train') return good(task);
        const loss = by[task.options.latentDim as number];
        return loss === undefined ? fail('TRAINING_DIVERGED', 'NaN') : good(task, { loss });
      },
    });
  const driven = async (text: string, h = host()) => {
    const p = plan(text);
    return (await drive(p, bind(p, options), h)).state;
  };

  it('selects the best point, gives its outputs on and keeps all points visible', async () => {
    const state = await driven(
      sweep('{ values: [4, 8, 16], select: { metric: loss, mode: min } }'),
      losses({ 4: 0.3, 8: 0.1, 16: 0.2 }),
    );
    const train = state.stages.train!;
    expect(train.fan!.selected).toBe('8');
    expect(train.fan!.points!.map((point) => [point.key, point.score])).toEqual([
      ['4', 0.3],
      ['8', 0.1],
      ['16', 0.2],
    ]);
    expect(train.outputs).toEqual(train.fan!.points![1]!.outputs);
    expect(state.status).toBe('succeeded');
  });

  it('uses one seed for all points, so that they are compared fairly', async () => {
    const seeds = new Set<number>();
    const h = host({
      run: (task) => {
        if (task.uses === 'imputation/train') seeds.add(task.seed);
        return good(task);
      },
    });
    await driven(sweep('{ values: [4, 8], select: { metric: loss } }'), h);
    expect(seeds.size).toBe(1);
  });

  it('stops at the first point that satisfies `until`', async () => {
    const h = losses({ 4: 0.3, 8: 0.1, 16: 0.05 });
    const state = await driven(sweep('{ values: [4, 8, 16], until: "metrics.loss < 0.2" }'), h);
    expect(h.ran.filter((path) => path.startsWith('train'))).toEqual(['train[4]', 'train[8]']);
    expect(state.stages.train!.fan!.selected).toBe('8');
  });

  it('selects the same point by `until` whatever is in the cache', async () => {
    const loss = { 4: 0.3, 8: 0.1, 16: 0.05, 32: 0.01 };
    const until = (values: string): string => sweep(`{ values: ${values}, until: "metrics.loss < 0.2" }`);
    for (const known of ['[16]', '[8]', '[8, 16]', '[32, 4]']) {
      const h = losses(loss);
      await driven(until(known), h);
      for (const { 0: value } of known.matchAll(/\d+/g)) await driven(until(`[${value}]`), h);
      h.ran.length = 0;
      const state = await driven(until('[4, 8, 16, 32]'), h);
      expect(state.stages.train!.fan!.selected, known).toBe('8');
      expect(state.status).toBe('succeeded');
      expect(h.ran).not.toContain('train[32]');
    }
  });

  it('says so when no point satisfies `until`', async () => {
    const state = await driven(sweep('{ values: [4, 8], until: "metrics.loss < 0.01" }'), losses({ 4: 0.3, 8: 0.1 }));
    expect(state.error).toMatchObject({ code: 'DATA_INSUFFICIENT' });
    expect(state.error!.message).toContain('`metrics.loss < 0.01` holds for none of 2 points');
  });

  it('leaves out points that failed or have no finite score, and says how many', async () => {
    const state = await driven(
      sweep('{ values: [4, 8, 16], select: { metric: loss } }'),
      losses({ 4: NaN, 8: undefined, 16: 0.2 }),
    );
    expect(state.stages.train!.fan!.selected).toBe('16');
    expect(state.stages.train!.note).toContain('2 failed or without a score');
    const none = await driven(sweep('{ values: [4, 8], select: { metric: loss } }'), losses({ 4: NaN, 8: NaN }));
    expect(none.error!.message).toContain('has no finite value for any of 2 points');
    const broken = await driven(sweep('{ values: [4, 8], select: { metric: loss } }'), losses({}));
    expect(broken.error!.code).toBe('TRAINING_DIVERGED');
  });

  it('tries every combination of a matrix, and works with a single point', async () => {
    const text = sweep('{ matrix: { dim: [4, 8], epochs: [1, 2] }, select: { metric: loss } }').replace(
      '"${{ point }}"',
      '"${{ point.dim }}", epochs: "${{ point.epochs }}"',
    );
    const h = host();
    await driven(text, h);
    expect(h.ran.filter((path) => path.startsWith('train')).sort()).toEqual([
      'train[dim=4,epochs=1]',
      'train[dim=4,epochs=2]',
      'train[dim=8,epochs=1]',
      'train[dim=8,epochs=2]',
    ]);
    expect((await driven(sweep('{ values: [4], select: { metric: loss } }'))).stages.train!.fan!.selected).toBe('4');
  });

  it('sweeps over a group, selecting by the metrics it gives', async () => {
    const text = `hourglass: v1
name: sweep
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  best:
    sweep: { values: [4, 8], as: dim, select: { metric: rmse } }
    stages:
      train: { uses: imputation/train, with: { data: "\${{ stages.ingest.data }}", latentDim: "\${{ dim }}" } }
      impute: { uses: imputation/impute, with: { data: "\${{ stages.ingest.data }}", model: "\${{ stages.train.model }}" } }
      evaluate: { uses: imputation/evaluate, with: { imputed: "\${{ stages.impute.data }}", truth: "\${{ stages.ingest.data }}" } }
    outputs: { model: "\${{ stages.train.model }}", metrics: "\${{ stages.evaluate.metrics }}" }
    gate: metrics.rmse < 0.05
`;
    const h = host({
      run: (task) => good(task, task.path === 'best[8].evaluate' ? { rmse: 0.01, baselines: {} } : undefined),
    });
    const state = await driven(text, h);
    expect(state.stages.best!.fan!.selected).toBe('8');
    expect(state.stages.best!.metrics).toEqual({ metrics: { rmse: 0.01 } });
    expect(state.status).toBe('succeeded');
  });
});
