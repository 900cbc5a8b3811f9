import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { ingest as manifest } from '../index.ts';
import { run } from '../ingest.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-ingest-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const wdbc = new URL('../../../../workflows/data/wdbc.parquet', import.meta.url).pathname;
const ingest = async (options: Record<string, unknown>) => {
  const context = fakeContext({ artifacts });
  return { ...(await run(context, {}, manifest.options.parse(options))), said: context.said };
};

test('a real table is read, kept to its contract and profiled', async () => {
  const { data, profile, said } = await ingest({
    uri: wdbc,
    exclude: ['diagnosis'],
    contract: { minRows: 500, notNull: ['mean_radius'] },
  });
  expect(data).toMatchObject({ kind: 'dataset', rows: 569 });
  expect(manifest.outputs.profile.schema!.parse(profile)).toEqual(profile);
  expect(Object.keys(profile.columns)).toHaveLength(30);
  expect(profile.columns.mean_radius).toMatchObject({ type: 'float', missing: 0, min: 6.981, max: 28.11 });
  expect(said.warnings).toEqual([]);
});

test('columns that teach nothing are named', async () => {
  const path = join(folder, 'dull.csv');
  await writeFile(path, 'a,empty,same\n1,,5\n2,,5\n');
  const { said } = await ingest({ uri: path });
  expect(said.warnings).toEqual(['every cell is missing in "empty"', 'all rows hold the same value in "same"']);
});

test('a contract that is broken stops the stage with the rows', async () => {
  await expect(
    ingest({ uri: wdbc, contract: { ranges: { mean_radius: { max: 25 } }, values: { diagnosis: ['B'] } } }),
  ).rejects.toThrow(
    /2 rules are broken[\s\S]*ranges\(mean_radius\): expected −∞ to 25: row \d+ \(mean_radius = [\d.]+\)[\s\S]*values\(diagnosis\)/,
  );
});

test('rows that break the contract are set aside, counted and named', async () => {
  const path = join(folder, 'half.csv');
  await writeFile(path, 'x\n1\n2\n-3\n-4\n');
  const contract = { ranges: { x: { min: 0 } } };
  await expect(ingest({ uri: path, contract, onViolation: 'quarantine' })).rejects.toThrow(
    '2 of 4 rows (50 %) break the contract, more than quarantineLimit allows (10 %)',
  );
  const { data, quarantined, profile, said } = await ingest({
    uri: path,
    contract,
    onViolation: 'quarantine',
    quarantineLimit: 0.5,
  });
  expect([data.rows, quarantined.rows]).toEqual([2, 2]);
  expect(profile.quarantined).toEqual({ rows: 2, share: 0.5, rules: { 'ranges(x)': 2 } });
  expect(said.warnings[0]).toBe('2 rows are quarantined: ranges(x) 2');
  expect((await ingest({ uri: path })).quarantined.rows).toBe(0);
});

test('the profile of a very wide table fits into metrics and says what it left out', async () => {
  const path = join(folder, 'wide.csv');
  const names = Array.from({ length: 900 }, (_, i) => `column_${i}`);
  await writeFile(
    path,
    `${names.join(',')}\n${[1, 2, 3].map((r) => names.map((_, i) => i * r).join(',')).join('\n')}\n`,
  );
  const { profile, said } = await ingest({ uri: path });
  expect(JSON.stringify(profile).length).toBeLessThan(121_000);
  expect(Object.keys(profile.columns).length + (profile.columnsLeftOut ?? 0)).toBe(900);
  expect(said.info[0]).toContain('too wide');
});

test('option mistakes are found by the schema', () => {
  const problems = (options: Record<string, unknown>) =>
    manifest.options.safeParse({ uri: 'x', ...options }).error?.issues.map((i) => i.path.join('.'));
  expect(problems({ sample: { fraction: 2 } })).toEqual(['sample.fraction']);
  expect(problems({ contract: { minRow: 1 } })).toEqual(['contract']);
  expect(problems({ contract: { ranges: { x: {} } } })).toEqual(['contract.ranges.x']);
  const crossed = { x: { min: 50, max: 1 }, y: { min: '2024-02-01', max: '2024-01-31' }, z: { min: 1, max: 1 } };
  expect(problems({ contract: { ranges: crossed } })).toEqual(['contract.ranges.x', 'contract.ranges.y']);
  const types = { a: 'nummber', b: 'number', c: 'DECIMAL(10,2)', d: 'double[]', e: 'TIMESTAMP WITH TIME ZONE' };
  expect(problems({ contract: { types } })).toEqual(['contract.types.a']);
  expect(problems({})).toBeUndefined();
});
