import { expect, test } from 'vitest';
import { checkContract, queryDataset, type Contract } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store } = await tempStore();
const ref = await queryDataset(store, {
  inputs: {},
  sql: `SELECT * FROM (VALUES
    (1, 10.5::DOUBLE, 'red', DATE '2024-01-01', true),
    (2, 'nan', 'blue', DATE '2024-01-02', NULL),
    (2, 'inf', 'Red', NULL, false),
    (NULL, -3, NULL, DATE '2030-01-01', true),
    (NULL, 200, 'red', DATE '2024-01-01', true)) t(id, x, colour, "the day", flag)`,
});
const message = (contract: Contract) =>
  checkContract(store, ref, contract, 'Contract of t').then(
    () => 'kept',
    (error) => `${error.code} ${error.message}`,
  );

test('a contract that holds says nothing; missing cells break only notNull', async () => {
  expect(
    await message({
      minRows: 5,
      maxRows: 5,
      types: { id: 'integer', x: 'float', 'the day': 'date', flag: 'boolean', colour: 'VARCHAR' },
    }),
  ).toBe('kept');
  expect(
    await message({
      ranges: { id: { min: 1, max: 2 } },
      values: { colour: ['red', 'blue', 'Red'], flag: [true, false] },
      unique: [['id', 'x', 'the day']],
    }),
  ).toBe('kept');
});

test('every broken rule is listed with its first rows and their values', async () => {
  expect(
    await message({
      minRows: 6,
      types: { x: 'integer', nothing: 'date' },
      notNull: ['id', 'x'],
      ranges: { x: { min: 0, max: 100 }, 'the day': { max: '2025-01-01' } },
      values: { colour: ['red', 'blue'], id: [1, 3] },
      unique: ['id', ['colour', 'the day']],
      finite: ['x'],
    }),
  ).toBe(`CONTRACT_VIOLATED Contract of t: 12 rules are broken.
  minRows: expected at least 6 rows, found 5
  types(x): expected integer, found float (DOUBLE)
  types(nothing): expected date, found no such column
  notNull(id): expected a value, found none: row 4 (id = NULL), row 5 (id = NULL)
  notNull(x): expected a value, found none: row 2 (x = nan)
  ranges(x): expected 0 to 100: row 3 (x = inf), row 4 (x = -3.0), row 5 (x = 200.0)
  ranges(the day): expected −∞ to 2025-01-01: row 4 (the day = 2030-01-01)
  values(colour): expected one of "red", "blue": row 3 (colour = Red)
  values(id): expected one of 1, 3: row 2 (id = 2), row 3 (id = 2)
  finite(x): expected a finite number: row 3 (x = inf)
  unique(id): expected values that never repeat: row 2 (id = 2), row 3 (id = 2)
  unique(colour, the day): expected values that never repeat: row 1 (colour = red, the day = 2024-01-01), row 5 (colour = red, the day = 2024-01-01)
Correct the rows, or the contract.`);
});

test('rows are numbered and counted whatever the columns are called', async () => {
  const named = await queryDataset(store, {
    inputs: {},
    sql: `SELECT * FROM (VALUES (40, 30, 1), (20, 30, 2), (10, 31, 2)) t(_row, _n, n)`,
  });
  await expect(checkContract(store, named, { ranges: { n: { max: 1 } }, unique: ['_n'] })).rejects.toThrow(
    /row 2 \(n = 2\), row 3 \(n = 2\)\n.*row 1 \(_n = 30\), row 2 \(_n = 30\)\nCorrect/,
  );
});

test('the message stays short however many rows are wrong', async () => {
  const many = await queryDataset(store, { inputs: {}, sql: 'SELECT -i AS x FROM range(1, 100001) r(i)' });
  await expect(checkContract(store, many, { ranges: { x: { min: 0 } } })).rejects.toThrow(
    'row 5 (x = -5), … (100000 rows)',
  );
});

test('mistakes in the contract itself are named', async () => {
  expect(await message({ notNull: ['color'] })).toContain(
    'Contract notNull: no column "color" (did you mean "colour"?)',
  );
  expect(await message({ ranges: { colour: { min: 1 } } })).toContain(
    'ranges(colour): expected a column of numbers or points in time, found VARCHAR',
  );
  expect(await message({ ranges: { 'the day': { min: 1 } } })).toContain('expected a date or time as text, found 1');
});
