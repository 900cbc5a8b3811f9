import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, querySql } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import type { sql } from './sql-manifest.ts';

export const run: StageRun<typeof sql> = async (context, inputs, { names, ...options }) => {
  const tables: Record<string, ArtifactRef> = {};
  for (const [input, ref] of Object.entries(inputs)) {
    if (ref === undefined) continue;
    const name = names[input as keyof typeof names] ?? input;
    if (Object.keys(tables).some((other) => other.toLowerCase() === name.toLowerCase()))
      throw new HourglassError('OPTION_INVALID', `data/sql: option names: two inputs are called "${name}".`);
    tables[name] = ref;
  }
  const idle = Object.keys(names).find((input) => inputs[input as keyof typeof inputs] === undefined);
  if (idle !== undefined)
    throw new HourglassError('OPTION_INVALID', `data/sql: option names: there is no input \`${idle}\`. Connect it.`);
  context.progress(undefined, `asking ${Object.keys(tables).join(', ')}`);
  const data = await querySql(context.artifacts, { ...options, inputs: tables });
  const { columns } = await openDataset(context.artifacts, data);
  return { data, metrics: { rows: data.rows ?? 0, columns: columns.length } };
};
