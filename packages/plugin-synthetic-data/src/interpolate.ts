import { checkSchema, encodeTable, generatorPasses, tableFromHeads } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { openDataset, writeDataset, type Table } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { loadGenerator } from './generator-model.ts';
import type { interpolate } from './index.ts';

const STAGE = 'synthetic-data/interpolate';
const ADDED = ['pair', 'step', 'share'] as const;

/** Straight ways between the latents of rows, decoded to their most probable cells. */
export const run: StageRun<typeof interpolate> = async (context, { data, model: ref }, { steps, pairs }) => {
  const { model, heads } = await loadGenerator(context.artifacts, ref, STAGE);
  const { encoder } = model;
  const reader = await openDataset(context.artifacts, data);
  for (const notice of checkSchema(encoder, reader.columns)) context.log.warn(notice);
  const there = Math.floor(reader.rows / 2);
  if (there < 1 || (pairs ?? 1) > there)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected two rows a way, ${2 * (pairs ?? 1)} in all, found ${reader.rows}`,
    );
  const names = encoder.columns.map(({ name }) => name);
  const taken = names.find((name) => (ADDED as readonly string[]).includes(name.toLowerCase()));
  if (taken !== undefined)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${STAGE}: the result has columns ${ADDED.join(', ')} of its own, and the table has a column "${taken}"; rename that`,
      { details: { column: taken } },
    );
  const count = pairs ?? there;
  const ends = await reader.table(names, { limit: 2 * count });
  const passes = await generatorPasses(await context.engine(), model);
  try {
    const { mu } = await passes.posterior(encodeTable(encoder, ends));
    const d = passes.latentDim;
    const rows = count * steps;
    const z = new Float32Array(rows * d);
    const column = (of: (row: number) => number): { kind: 'numeric'; values: Float64Array } => ({
      kind: 'numeric',
      values: Float64Array.from({ length: rows }, (_, row) => of(row)),
    });
    const share = (row: number): number => (row % steps) / (steps - 1);
    for (let row = 0; row < rows; row++) {
      const from = 2 * Math.floor(row / steps) * d;
      for (let j = 0; j < d; j++) z[row * d + j] = mu[from + j]! + share(row) * (mu[from + d + j]! - mu[from + j]!);
    }
    const cells = tableFromHeads(encoder, heads, await passes.distributions(z), rows);
    const table: Table = {
      rows,
      columns: {
        pair: column((row) => 1 + Math.floor(row / steps)),
        step: column((row) => 1 + (row % steps)),
        share: column(share),
        ...cells.columns,
      },
      ...(cells.vectors ? { vectors: cells.vectors } : {}),
    };
    const learned = new Set(names);
    return {
      data: await writeDataset(context.artifacts, {
        columns: [
          { name: 'pair', physical: 'INTEGER' },
          { name: 'step', physical: 'INTEGER' },
          { name: 'share', physical: 'DOUBLE' },
          ...encoder.schema.filter(({ name }) => learned.has(name)),
        ],
        parts: [{ tables: [table] }],
      }),
    };
  } finally {
    passes.dispose();
  }
};
