import { checkSchema, loadModel, type ColumnEncoder } from '@hourglass/autoencoder';
import { openDataset, type ColumnData } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { columnDrift, type ColumnDrift } from './column-drift.ts';
import type { drift } from './index.ts';

/** Columns told of at most, the most drifted first: metrics travel through run states. */
const TOLD = 100;

/** Today's table against the profile that the model keeps of the table it was trained on. */
export const run: StageRun<typeof drift> = async (context, { data, model: ref }, options) => {
  if (!ref)
    return {
      metrics: { drifted: true, reason: 'there is no model to compare with yet', maxPsi: 0, maxKs: 0, columns: {} },
    };
  const model = await loadModel(context.artifacts, ref);
  const reader = await openDataset(context.artifacts, data);
  for (const notice of checkSchema(model.encoder, reader.columns)) context.log.info(notice);
  const found: [string, ColumnDrift][] = [];
  for (const [k, encoder] of model.encoder.columns.entries()) {
    context.signal.throwIfAborted();
    context.progress(k / model.encoder.columns.length, `comparing ${encoder.name}`);
    const column = (await reader.table([encoder.name])).columns[encoder.name]!;
    found.push([encoder.name, columnDrift(encoder as ColumnEncoder, column as ColumnData)]);
  }
  const beyond = found.flatMap(([name, { psi, ks, missing }]) => [
    ...(psi > options.psi ? [{ name, excess: psi / options.psi, text: `${name}: PSI ${psi.toFixed(2)}` }] : []),
    ...(ks > options.ks ? [{ name, excess: ks / options.ks, text: `${name}: KS ${ks.toFixed(2)}` }] : []),
    ...(Math.abs(missing) > options.missing
      ? [
          {
            name,
            excess: Math.abs(missing) / options.missing,
            text: `${name}: ${(missing * 100).toFixed(0)} % more missing`,
          },
        ]
      : []),
  ]);
  beyond.sort((a, b) => b.excess - a.excess);
  const reason =
    beyond.length === 0
      ? 'every column is within its limits'
      : `${beyond
          .slice(0, 3)
          .map(({ text }) => text)
          .join(', ')}${beyond.length > 3 ? ` and ${beyond.length - 3} more` : ''}`;
  context.log.info(reason);
  const told = [...found].sort(([, a], [, b]) => b.psi - a.psi).slice(0, TOLD);
  return {
    metrics: {
      drifted: beyond.length > 0,
      reason,
      maxPsi: Math.max(0, ...found.map(([, { psi }]) => psi)),
      maxKs: Math.max(0, ...found.map(([, { ks }]) => ks)),
      columns: Object.fromEntries(told),
    },
  };
};
