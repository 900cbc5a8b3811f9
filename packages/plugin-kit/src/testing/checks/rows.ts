import { HourglassError } from '@hourglass/core';

import { errorOf, expectFinite, expectThat, tableFor, type Check } from '../check.ts';
import { sliceRows } from '../synthetic-table.ts';

/** Few rows and none. */
export const rows: Check[] = [
  {
    title: 'applies to a single row',
    async run(bench) {
      const table = tableFor(bench);
      const model = await bench.train(await bench.dataset(table));
      const result = await bench.read(await bench.apply(await bench.dataset(sliceRows(table, 0, 1)), model));
      expectThat(result.rows === 1, `expected 1 row, found ${result.rows}`);
      expectFinite(result, 'result');
    },
  },
  {
    title: 'applies to an empty table, giving an empty one with the same columns, or refuses it as empty',
    async run(bench) {
      const table = tableFor(bench);
      const model = await bench.train(await bench.dataset(table));
      const full = await bench.read(await bench.apply(await bench.dataset(table), model));
      try {
        const result = await bench.read(await bench.apply(await bench.dataset(sliceRows(table, 0, 0)), model));
        expectThat(result.rows === 0, `expected 0 rows, found ${result.rows}`);
        const [expected, found] = [full, result].map((each) => Object.keys(each.columns).join());
        expectThat(expected === found, `expected columns ${expected}, found ${found}`);
      } catch (error) {
        expectThat(
          error instanceof HourglassError && ['SOURCE_EMPTY', 'DATA_INSUFFICIENT'].includes(error.code),
          `expected an empty table or SOURCE_EMPTY, found ${(error as Error).message}`,
        );
      }
    },
  },
  {
    title: 'refuses to learn from an empty table, in words',
    async run(bench) {
      const error = await errorOf(bench.train(await bench.dataset(tableFor(bench, { rows: 0 }))), 'a refusal');
      expectThat(
        error instanceof HourglassError && ['SOURCE_EMPTY', 'DATA_INSUFFICIENT'].includes(error.code),
        `expected SOURCE_EMPTY or DATA_INSUFFICIENT, found ${error.message}`,
      );
    },
  },
  {
    title: 'learns from a handful of rows, or says how many it needs',
    async run(bench) {
      try {
        const data = await bench.dataset(tableFor(bench, { rows: 3, missing: 0 }));
        expectFinite(await bench.read(await bench.apply(data, await bench.train(data))), 'result');
      } catch (error) {
        expectThat(
          error instanceof HourglassError && error.code === 'DATA_INSUFFICIENT' && /\d/.test(error.message),
          `expected a result or DATA_INSUFFICIENT with a number, found ${(error as Error).message}`,
        );
      }
    },
  },
];
