import { failureOf } from '@hourglass/core/testing';
import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withSandbox } from '../duckdb.ts';
import { ingest, openDataset, queryDataset, querySql } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const secret = join(folder, 'secret.csv');
await writeFile(secret, 'password\n1234\n');
const people = await ingest(store, {
  uri: new URL('../../../../workflows/data/credit.parquet', import.meta.url).pathname,
});
const towns = await queryDataset(store, { inputs: {}, sql: `SELECT i AS id, 'town ' || i AS town FROM range(3) r(i)` });
const ask = (sql: string, more: Record<string, unknown> = {}) =>
  querySql(store, { inputs: { people, towns }, sql, ...more });
const failing = (sql: string) => failureOf(ask(sql));

test('a query over real datasets gives a dataset, the same bytes each time', async () => {
  const sql = `WITH grown AS (SELECT *, Income / 12 AS monthly FROM people WHERE Age >= 30)
    SELECT Home, count(*) AS n, round(avg(monthly), 3) AS monthly FROM grown GROUP BY Home ORDER BY n DESC, Home;`;
  const [one, two] = [await ask(sql), await ask(sql)];
  expect(one.digest).toBe(two.digest);
  const reader = await openDataset(store, one);
  expect(reader.columns.map(({ name }) => name)).toEqual(['Home', 'n', 'monthly']);
  const { n } = (await reader.table(['n'])).columns as any;
  expect(n.values[0]).toBeGreaterThan(n.values[1]);
});

test('rows can be made, numbered, sampled by a seed and cut into parts', async () => {
  const data = await ask(`SELECT town, x FROM towns, range(2) r(x) ORDER BY town, x`, { partitionBy: ['town'] });
  expect((await openDataset(store, data)).parts.map(({ key, rows }) => `${key}: ${rows}`)).toEqual([
    'town 0: 2',
    'town 1: 2',
    'town 2: 2',
  ]);
  const sample = 'SELECT * FROM people USING SAMPLE reservoir(50 ROWS) REPEATABLE (4)';
  expect((await ask(sample)).digest).toBe((await ask(sample)).digest);
  expect(await failing('SELECT * FROM people USING SAMPLE 10%')).toContain('a sample without a seed');
});

describe('nothing but the inputs can be reached', () => {
  const out = join(folder, 'stolen.csv');
  test.each([
    [`SELECT * FROM '${secret}'`, /no table ".*secret\.csv"\. The tables are the inputs: "people", "towns"/],
    [`SELECT * FROM read_csv('${secret}')`, /read_csv\(\) reads other data than the inputs/],
    [`SELECT * FROM read_parquet('/x.parquet')`, /read_parquet\(\) reads other data/],
    [`SELECT * FROM read_text('/etc/hostname')`, /read_text\(\) reads other data/],
    [`SELECT * FROM people WHERE Age IN (SELECT password FROM read_csv('${secret}'))`, /read_csv\(\) reads other data/],
    [`SELECT * FROM query('SELECT 1')`, /query\(\) reads other data/],
    [`SELECT * FROM information_schema.tables`, /no table "information_schema\.tables"/],
    [`SELECT * FROM duckdb_settings()`, /duckdb_settings\(\) reads other data/],
    [`COPY people TO '${out}'`, /expected one SELECT .*, found another statement/],
    [`ATTACH '${join(folder, 'x.db')}' AS x`, /expected one SELECT/],
    [`INSTALL httpfs`, /expected one SELECT/],
    [`SET enable_external_access = true`, /expected one SELECT/],
    [`SELECT 1; SELECT 2`, /expected one SELECT, found 2 statements/],
    [`DESCRIBE people`, /DESCRIBE, SHOW and SUMMARIZE/],
    [`SELECT * FROM 'https://example.org/x.parquet'`, /no table "https:\/\/example\.org\/x\.parquet"/],
  ])('%s', async (sql, message) => {
    expect(await failing(sql)).toMatch(/^OPTION_INVALID Option sql: /);
    expect(await failing(sql)).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  test('also where a statement got past the check: the database itself refuses', async () => {
    await withSandbox([], async (sandbox) => {
      for (const sql of [
        `SELECT * FROM '${secret}'`,
        `SELECT * FROM read_csv('${secret}')`,
        `SELECT * FROM read_text('${secret}')`,
        `COPY (SELECT 1) TO '${out}'`,
        `ATTACH '${join(folder, 'x.db')}' AS x`,
        `SELECT * FROM glob('${folder}/*')`,
        `SELECT * FROM 'https://example.org/x.parquet'`,
        `INSTALL httpfs`,
        `LOAD httpfs`,
        `SET enable_external_access = true`,
        `SET allowed_paths = ['${secret}']`,
      ])
        await expect(sandbox.rows(sql), sql).rejects.toThrow(
          /disabled|locked|not found|Missing|requires the extension/i,
        );
      expect(existsSync(out)).toBe(false);
    });
  });
});

test('what depends on the moment is refused, also without brackets', async () => {
  for (const [expression, name] of [
    ['random()', 'random'],
    ['now()', 'now'],
    ['current_timestamp', 'current_timestamp'],
    ['uuid()', 'uuid'],
    ['today()', 'today'],
    ['current_date', 'current_date'],
  ] as const)
    // prettier-ignore
    expect(await failing(`SELECT ${expression} AS x FROM towns`)).toMatch(
      new RegExp(`^OPTION_INVALID Option sql: ${name}(\\(\\))? gives another result each time\\. Use a param`),
    );
});

test('mistakes are named: syntax, tables, columns, values, columns twice, no rows', async () => {
  expect(await failing('SELEC * FROM towns')).toMatch(/^OPTION_INVALID Option sql: cannot be read as SQL: .*SELEC/);
  expect(await failing('SELECT * FROM twons')).toContain('no table "twons" (did you mean "towns"?)');
  expect(await failing('SELECT twn FROM towns')).toMatch(/^OPTION_INVALID .*"twn" not found.*"town"/s);
  expect(await failing('SELECT town::INTEGER AS t FROM towns')).toMatch(/^COLUMN_INVALID Option sql: .*'town 0'/);
  expect(await failing('SELECT id, town AS ID FROM towns')).toMatch(/^COLUMN_INVALID .*"id".*"ID"/);
  expect(await failing('SELECT * FROM towns WHERE id > 5')).toBe(
    'DATA_INSUFFICIENT Option sql: the query gives no rows ("people" has 4454, "towns" has 3). Relax its conditions, or set allowEmpty: true.',
  );
  const empty = await ask('SELECT * FROM towns WHERE id > 5', { allowEmpty: true });
  expect([empty.rows, (await openDataset(store, empty)).columns.length]).toEqual([0, 2]);
});
