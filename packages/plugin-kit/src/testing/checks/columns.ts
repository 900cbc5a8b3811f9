import { HourglassError } from '@hourglass/core';
import type { Table } from '@hourglass/dataset';

import { errorOf, expectFinite, expectSameRows, expectThat, tableFor, type Check } from '../check.ts';
import { constantColumn, withColumns } from '../synthetic-table.ts';
import type { Workbench } from '../learner.ts';

async function trainAndApply(bench: Workbench, table: Table): Promise<Table> {
  const data = await bench.dataset(table);
  return bench.read(await bench.apply(data, await bench.train(data)));
}

/** Works, or refuses with an error of ours that names the column; never with garbage. */
async function worksOrNames(bench: Workbench, table: Table, column: string): Promise<void> {
  try {
    expectFinite(await trainAndApply(bench, table), 'result');
  } catch (error) {
    expectThat(
      error instanceof HourglassError && error.message.includes(column),
      `expected a result or an error that names column ${column}, found ${(error as Error).message}`,
    );
  }
}

async function refused(bench: Workbench, table: Table, other: Table, names: string): Promise<void> {
  const model = await bench.train(await bench.dataset(table));
  const error = await errorOf(bench.apply(await bench.dataset(other), model), `a refusal that names column ${names}`);
  expectThat(
    error instanceof HourglassError && error.code === 'SCHEMA_MISMATCH' && error.message.includes(names),
    `expected SCHEMA_MISMATCH naming column ${names}, found ${error.message}`,
  );
}

const reversed = (table: Table): Table => ({
  rows: table.rows,
  columns: Object.fromEntries(Object.entries(table.columns).reverse()),
});

/** What tables look like outside of examples. */
export const columns: Check[] = [
  {
    title: 'takes a table of one column',
    run: async (bench) => expectFinite(await trainAndApply(bench, tableFor(bench, { numeric: 1 })), 'result'),
  },
  {
    title: 'takes a wide table of few rows',
    run: async (bench) =>
      expectFinite(await trainAndApply(bench, tableFor(bench, { numeric: 150, rows: 30 })), 'result'),
  },
  {
    title: 'takes a constant column, or refuses it by name',
    async run(bench) {
      const table = tableFor(bench);
      await worksOrNames(bench, withColumns(table, { constant: constantColumn(table.rows, 3) }), 'constant');
    },
  },
  {
    title: 'takes a column without a single value, or refuses it by name',
    async run(bench) {
      const table = tableFor(bench);
      await worksOrNames(bench, withColumns(table, { nothing: constantColumn(table.rows, NaN) }), 'nothing');
    },
  },
  {
    title: 'takes infinite cells as missing, or refuses the column by name',
    async run(bench) {
      const table = tableFor(bench);
      const cells = Float64Array.from({ length: table.rows }, (_, i) => i % 17);
      cells[3] = Infinity;
      cells[5] = -Infinity;
      try {
        const result = await trainAndApply(bench, withColumns(table, { endless: { kind: 'numeric', values: cells } }));
        const other = withColumns(result, { endless: undefined });
        expectFinite(other, 'result');
      } catch (error) {
        expectThat(
          error instanceof HourglassError && error.message.includes('endless'),
          `expected a result or an error that names column endless, found ${(error as Error).message}`,
        );
      }
    },
  },
  {
    title: 'finds its columns by name, in whatever order they come',
    async run(bench) {
      const table = tableFor(bench);
      const model = await bench.train(await bench.dataset(table));
      const straight = await bench.read(await bench.apply(await bench.dataset(table), model));
      const turned = await bench.read(await bench.apply(await bench.dataset(reversed(table)), model));
      expectSameRows(straight, turned, bench.learner.tolerance ?? 1e-4, 'columns in reverse order');
    },
  },
  {
    title: 'gives the same result when the table has a column more',
    async run(bench) {
      const table = tableFor(bench);
      const model = await bench.train(await bench.dataset(table));
      const straight = await bench.read(await bench.apply(await bench.dataset(table), model));
      const more = withColumns(table, { extra: constantColumn(table.rows, 1) });
      const result = await bench.read(await bench.apply(await bench.dataset(more), model));
      expectSameRows(straight, result, bench.learner.tolerance ?? 1e-4, 'with an extra column');
    },
  },
  {
    title: 'names the column that a table lacks',
    async run(bench) {
      const table = tableFor(bench);
      await refused(bench, table, withColumns(table, { x_1: undefined }), 'x_1');
    },
  },
  {
    title: 'names the column whose type changed',
    async run(bench) {
      const table = tableFor(bench);
      const codes = new Int32Array(table.rows);
      const text = { kind: 'category', categories: ['a', 'b'], codes: codes.map((_, i) => i % 2) } as const;
      await refused(bench, table, withColumns(table, { x_1: { ...text, categories: [...text.categories] } }), 'x_1');
    },
  },
];
