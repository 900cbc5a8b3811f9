import { HourglassError } from '@hourglass/core';
import { openDataset, type ColumnData } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/runtime';

import { storeTable } from '../../testing/store-table.ts';
import type toy from './index.ts';
import type { ToyModel } from './train.ts';

export const run: StageRun<typeof toy.stages.fill> = async (context, inputs, { defect }) => {
  const table = await (await openDataset(context.artifacts, inputs.data)).table();
  const { digest } = (await context.artifacts.get(inputs.model)).parts[0]!;
  const model = JSON.parse(new TextDecoder().decode(await context.artifacts.readBlob(digest))) as ToyModel;
  if (table.rows === 1 && defect === 'fails-on-one-row') throw new TypeError('one row');
  const present = Object.keys(table.columns);
  const columns: Record<string, ColumnData> = {};
  for (const [i, name] of model.columns.entries()) {
    const source = defect === 'columns-by-position' ? present[i]! : name;
    const column = table.columns[source];
    if (!column || column.kind !== model.kinds[i]) {
      if (!column && defect === 'accepts-missing-column') continue;
      if (column && defect === 'accepts-changed-type') continue;
      throw new HourglassError('SCHEMA_MISMATCH', `toy/fill: column ${name}: expected ${model.kinds[i]}.`);
    }
    if (defect === 'loses-columns-when-empty' && table.rows === 0 && i > 0) continue;
    let fill = model.means[i] ?? Infinity; // JSON writes null for it
    if (defect === 'random-result') fill += Math.random();
    if (defect === 'looks-at-the-batch') fill += table.rows;
    if (defect === 'confused-by-extra' && present.length > model.columns.length) fill += 1;
    columns[name] =
      column.kind === 'numeric'
        ? { kind: 'numeric', values: column.values.map((value) => (Number.isNaN(value) ? fill : value)) }
        : column;
    if (defect === 'garbage-constant' && !Number.isFinite(fill)) columns[name] = filled(table.rows, fill);
  }
  return { data: await storeTable(context.artifacts, { rows: table.rows, columns }) };
};

const filled = (rows: number, value: number): ColumnData => ({
  kind: 'numeric',
  values: new Float64Array(rows).fill(value),
});
