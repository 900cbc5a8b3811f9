import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import type { BindOptions } from '../bind.ts';
import { drive } from '../drive.ts';
import type { RunState } from '../state.ts';
import { fail, good, host, plan } from './support/host.ts';

const at = '2026-11-24T03:00:00Z';
const options: BindOptions = { runId: 'r1', scheduledAt: at };

const WDBC = `
hourglass: v1
name: wdbc
seed: 7
params:
  rate: { type: number, default: 0.2, minimum: 0.01, maximum: 0.9 }
stages:
  ingest: { uses: data/ingest, with: { uri: wdbc.parquet } }
  holdout: { uses: imputation/mask, with: { data: "\${{ stages.ingest.data }}", rate: "\${{ params.rate }}" } }
  train: { uses: imputation/train, with: { data: "\${{ stages.holdout.masked }}" } }
  impute: { uses: imputation/impute, with: { data: "\${{ stages.holdout.masked }}", model: "\${{ stages.train.model }}" } }
  evaluate:
    uses: imputation/evaluate
    with: { imputed: "\${{ stages.impute.data }}", truth: "\${{ stages.ingest.data }}" }
    gate: metrics.rmse <= metrics.baselines.knn.rmse
  export: { uses: data/export, needs: [evaluate], with: { data: "\${{ stages.impute.data }}", uri: out.parquet } }
publish: { imputer: "\${{ stages.train.model }}" }
`;

const statuses = (state: RunState): Record<string, string> =>
  Object.fromEntries(Object.entries(state.stages).map(([id, stage]) => [id, stage.status]));

describe('drive', () => {
  it('runs every stage once, in order, and publishes', async () => {
    const h = host();
    const { state, ended } = await drive(plan(WDBC), bind(plan(WDBC), options), h);
    expect(ended).toBe('closed');
    expect(state.status).toBe('succeeded');
    expect(h.ran).toEqual(['ingest', 'holdout', 'train', 'impute', 'evaluate', 'export']);
    expect(h.published.imputer?.kind).toBe('model');
    expect(h.saved.at(-1)).toEqual(JSON.parse(JSON.stringify(state)));
  });

  it('finds everything cached the second time', async () => {
    const first = host();
    await drive(plan(WDBC), bind(plan(WDBC), options), first);
    const second = host({ cache: first.cache });
    const { state } = await drive(plan(WDBC), bind(plan(WDBC), options), second);
    expect(second.ran).toEqual([]);
    expect(state.status).toBe('succeeded');
    expect(Object.values(state.stages).every((stage) => stage.cache === 'hit')).toBe(true);
  });

  it('fails the run when a gate says no, shows both sides and keeps the outputs', async () => {
    const h = host({
      run: (task) =>
        good(
          task,
          task.uses === 'imputation/evaluate' ? { rmse: 0.071, baselines: { knn: { rmse: 0.066 } } } : undefined,
        ),
    });
    const { state } = await drive(plan(WDBC), bind(plan(WDBC), options), h);
    expect(state.status).toBe('failed');
    expect(state.error?.code).toBe('GATE_FAILED');
    expect(state.error?.message).toContain('metrics.rmse = 0.071 > metrics.baselines.knn.rmse = 0.066');
    expect(state.stages.evaluate?.outputs?.metrics).toBeDefined();
    expect(statuses(state)).toMatchObject({ evaluate: 'failed', export: 'blocked', impute: 'done' });
    expect(h.published).toEqual({});
  });

  it('retries what can be retried with growing pauses, and gives up after the attempts allowed', async () => {
    let tries = 0;
    const h = host({
      run: (task) => (task.path === 'train' && ++tries < 3 ? fail('STAGE_CRASHED') : good(task)),
    });
    const before = h.now();
    const { state } = await drive(plan(WDBC), bind(plan(WDBC), options), h);
    expect(state.status).toBe('succeeded');
    expect(tries).toBe(3);
    expect(state.stages.train?.attempts).toBe(3);
    expect(h.now() - before).toBe(3000);

    const always = host({ run: (task) => (task.path === 'train' ? fail('STAGE_CRASHED') : good(task)) });
    const failed = await drive(plan(WDBC), bind(plan(WDBC), options), always);
    expect(failed.state.status).toBe('failed');
    expect(always.ran.filter((path) => path === 'train')).toHaveLength(3);
  });

  it('never retries a mistake of the caller', async () => {
    const h = host({
      run: (task) => (task.path === 'train' ? fail('DATA_INSUFFICIENT', 'too few rows', true) : good(task)),
    });
    const { state } = await drive(plan(WDBC), bind(plan(WDBC), options), h);
    expect(h.ran.filter((path) => path === 'train')).toHaveLength(1);
    expect(state.error).toMatchObject({ code: 'DATA_INSUFFICIENT', path: 'train' });
  });

  it('runs independent stages side by side up to the limit', async () => {
    const wide = plan(`
hourglass: v1
name: wide
stages:
${Array.from({ length: 6 }, (_, i) => `  s${i}: { uses: data/ingest, with: { uri: "f${i}" } }`).join('\n')}
`);
    let now = 0;
    let most = 0;
    const h = host({
      run: async (task) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
        return good(task);
      },
    });
    await drive(wide, bind(wide, options), h, { maxParallel: 3 });
    expect(most).toBe(3);
    expect(h.ran).toHaveLength(6);
  });

  it('is interrupted into a state that can be driven on, keeping what finished', async () => {
    const interrupt = new AbortController();
    const h = host({
      run: async (task, signal) => {
        if (task.path !== 'train') return good(task);
        interrupt.abort();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return fail('CANCELLED');
      },
    });
    const first = await drive(plan(WDBC), bind(plan(WDBC), options), h, { signal: interrupt.signal });
    expect(first.ended).toBe('interrupted');
    expect(first.state.status).toBe('running');
    const again = host({ cache: h.cache });
    const second = await drive(plan(WDBC), h.saved.at(-1)!, again);
    expect(second.state.status).toBe('succeeded');
    expect(again.ran).toEqual(['train', 'impute', 'evaluate', 'export']);
  });

  it('continues from any state that a crash may leave behind, to the same result', async () => {
    const h = host();
    const whole = await drive(plan(WDBC), bind(plan(WDBC), options), h);
    const outputs = Object.fromEntries(Object.entries(whole.state.stages).map(([id, s]) => [id, s.outputs]));
    for (const saved of h.saved) {
      const { state } = await drive(plan(WDBC), saved, host());
      expect(state.status).toBe('succeeded');
      expect(Object.fromEntries(Object.entries(state.stages).map(([id, s]) => [id, s.outputs]))).toEqual(outputs);
    }
  });

  it('ends with the error of a state that cannot be saved', async () => {
    const h = host();
    h.save = () => Promise.reject(new Error('disk full'));
    await expect(drive(plan(WDBC), bind(plan(WDBC), options), h)).rejects.toThrow('disk full');
  });

  it('asks only what is saved, however slow saving is: whoever answers elsewhere finds the question', async () => {
    const held = plan(`
hourglass: v1
name: held
stages:
  one: { uses: data/ingest, onFailure: { wait: 1h }, with: { uri: a.parquet } }
  two: { uses: data/ingest, onFailure: { wait: 1h }, with: { uri: b.parquet } }
`);
    const h = host({ run: () => fail('STAGE_CRASHED', 'broken', false) });
    const save = h.save.bind(h);
    h.save = async (state, events) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await save(state, events);
    };
    h.sleep = () => new Promise(() => {});
    const found: string[] = [];
    h.ask = async ({ path }) => {
      found.push(statuses(h.saved.at(-1)!)[path]!);
      return { type: 'skip-stage', path, by: 'ann' };
    };
    await drive(held, bind(held, options), h);
    expect(found).toEqual(['held', 'held']);
  });
});
