import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { ingest, openDataset } from '@hourglass/dataset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, type Workspace } from './support/workspace.ts';

// The library of pipelines as it is shipped, with less training: its gates are the threshold.

const workflows = fileURLToPath(new URL('../../../../workflows/', import.meta.url));
const pipeline = (name: string): string => join(workflows, 'pipelines', `${name}.yaml`);

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace();
});
afterAll(() => w.remove());

interface Result {
  status: string;
  stages: { path: string; status: string; note?: string }[];
  metrics: { path: string; output: string; value: any }[];
  published: Record<string, { version: number }>;
}

async function run(name: string, ...params: string[]): Promise<Result> {
  const argv = ['run', pipeline(name), '--json', ...params.flatMap((param) => ['-p', param])];
  const { code, out, err } = await w.call(argv);
  expect(err).toBe('');
  const result = JSON.parse(out.trimEnd().split('\n').at(-1)!);
  expect(result.error).toBeUndefined();
  expect(code).toBe(0);
  return result;
}

/** Columns of a Parquet file, by name. */
async function table(path: string): Promise<Record<string, unknown[]>> {
  const { artifacts } = await openStore(join(w.dir, 'look'));
  const ref = await ingest(artifacts, { uri: path });
  const { columns, arrow } = await openDataset(artifacts, ref);
  const read = await arrow();
  return Object.fromEntries(columns.map(({ name }) => [name, [...read.getChild(name)!]]));
}

describe('the library', () => {
  it('compiles as a whole', async () => {
    const files = readdirSync(join(workflows, 'pipelines')).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThanOrEqual(12);
    const { code, out } = await w.call(['validate', ...files.map((name) => join(workflows, 'pipelines', name))]);
    expect(out).not.toMatch(/✗|warning/);
    expect(code).toBe(0);
  });

  it('churn-imputation: numbers closer than the mean, categories more often right than the commonest', async () => {
    const { metrics } = await run('churn-imputation', 'epochs=4');
    const { value } = metrics.find(({ path }) => path === 'evaluate')!;
    expect(value.accuracy).toBeGreaterThan(value.baselines.mode.accuracy + 0.2);
    const filled = await table(join(w.dir, 'out/churn-imputed.parquet'));
    expect(filled.tenure!.every((cell) => cell !== null && Number.isInteger(Number(cell)))).toBe(true);
    expect(filled.tenure_imputed!.filter(Boolean).length).toBeGreaterThan(500);
  });

  it('credit-imputation: every cell is there, and those that were there are as they were', async () => {
    await run('credit-imputation', 'epochs=8');
    const before = await table(join(workflows, 'data/credit.parquet'));
    const after = await table(join(w.dir, 'out/credit-filled.parquet'));
    expect(Object.keys(after)).toEqual(Object.keys(before));
    let filled = 0;
    for (const [name, cells] of Object.entries(before))
      for (const [i, cell] of cells.entries()) {
        if (cell !== null) expect(after[name]![i]).toBe(cell);
        else {
          expect(after[name]![i]).not.toBeNull();
          filled++;
        }
      }
    expect(filled).toBe(455);
  });

  it('letter-sweep: the point with the least error gives the model that is published', async () => {
    const { published } = await run('letter-sweep', 'rows=1000', 'sizes=2,12');
    expect(published.letter_imputer).toMatchObject({ version: 1 });
    const { state } = JSON.parse((await w.call(['runs', 'show', '--json'])).out);
    const { points, selected } = state.stages.size.fan;
    expect(points).toHaveLength(2);
    const best = points.reduce((a: any, b: any) => (b.score < a.score ? b : a));
    expect(selected).toBe(best.key);
    expect(state.published.letter_imputer.ref.digest).toBe(best.outputs.model.digest);
  });

  it('satellite-regions: a part that is not good enough is left out, and said to be missing', async () => {
    const all = await run('satellite-regions', 'rows=900', 'epochs=3', 'minR2=-1');
    const scores = Object.entries(all.metrics.find(({ path }) => path === 'regions')!.value as Record<string, any>)
      .map(([key, { r2 }]) => ({ key, r2: r2 as number }))
      .sort((a, b) => a.r2 - b.r2);
    expect(scores).toHaveLength(6);
    // Between the worst part and the next.
    await run('satellite-regions', 'rows=900', 'epochs=3', `minR2=${(scores[0]!.r2 + scores[1]!.r2) / 2}`);
    const { state } = JSON.parse((await w.call(['runs', 'show', '--json'])).out);
    expect(state.stages.regions.outputs.data.missing).toEqual([scores[0]!.key]);
    const { classes } = await table(join(w.dir, 'out/satellite-filled.parquet'));
    expect(new Set(classes).size).toBe(5);
    expect(classes).not.toContain(scores[0]!.key);
  });

  describe('weekly-train and daily-apply', () => {
    const stage = ({ stages }: Result, path: string): string => stages.find((row) => row.path === path)!.status;
    const versions = async (): Promise<{ version: number; ref: { digest: string } }[]> =>
      JSON.parse((await w.call(['names', 'history', 'credit_imputer', '--json'])).out).versions;
    const daily = async (where: string): Promise<Result> => run('daily-apply', `where=${where}`, 'epochs=3');
    const filled = async (): Promise<Record<string, unknown[]>> => {
      const [file] = readdirSync(join(w.dir, 'out/daily')).filter((name) => /^credit-\d/.test(name));
      return table(join(w.dir, 'out/daily', file!));
    };

    it('Sunday’s model, published under a name, fills Monday’s table', async () => {
      const { published } = await run('weekly-train', 'where=Age >= 40', 'epochs=3');
      expect(Object.keys(published).sort()).toEqual(['credit_imputer', 'credit_training']);
      const monday = await daily('Age >= 40');
      expect([stage(monday, 'drift'), stage(monday, 'retrain')]).toEqual(['done', 'skipped']);
      expect(monday.published).toEqual({});
      const { state } = JSON.parse((await w.call(['runs', 'show', '--json'])).out);
      expect(state.names['credit_imputer@latest']).toMatchObject({ version: 1 });
      const after = await filled();
      expect(after.Income!.some((cell) => cell === null)).toBe(false);
      expect(after.Income_imputed!.filter(Boolean).length).toBeGreaterThan(50);
      // The label came through.
      expect(new Set(after.Status)).toEqual(new Set(['good', 'bad']));
    });

    it('a day unlike the table it was trained on trains anew, and publishes what passed', async () => {
      const drifted = await daily('Age < 30');
      const { value } = drifted.metrics.find(({ path }) => path === 'drift')!;
      expect(value).toMatchObject({ drifted: true });
      expect(value.reason).toMatch(/Age/);
      expect(stage(drifted, 'retrain')).toBe('done');
      const [first, second] = await versions();
      expect(second!.ref.digest).not.toBe(first!.ref.digest);
      expect(drifted.published.credit_imputer).toMatchObject({ version: 2 });
      const ages = (await filled()).Age!.map(Number);
      expect(Math.max(...ages)).toBeLessThan(30);
    });

    it('the first day of all, with nothing published, trains as well', async () => {
      const nothing = ['run', pipeline('daily-apply'), '-p', 'where=Age < 30', '-p', 'epochs=3', '--store', 'empty'];
      const { code, out } = await w.call(nothing);
      expect(out).toMatch(/✓ retrain +done/);
      expect(out).toMatch(/published credit_imputer@1/);
      expect(code).toBe(0);
    });
  });
});
