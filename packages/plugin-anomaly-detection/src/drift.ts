import { checkSchema, loadModel } from '@hourglass/autoencoder';
import { openDataset } from '@hourglass/dataset';
import { columnDrift, driftVerdict, type ColumnDrift } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { columnReferenceOf } from './column-reference.ts';
import type { drift } from './index.ts';

/** Today's table against the profile that the model keeps of the table it was trained on. */
export const run: StageRun<typeof drift> = async (context, { data, model: ref }, options) => {
  if (!ref)
    return {
      metrics: {
        drifted: true,
        reason: 'there is no model to compare with yet',
        maxPsi: 0,
        maxKs: 0,
        beyond: 0,
        columns: {},
      },
    };
  const model = await loadModel(context.artifacts, ref);
  const reader = await openDataset(context.artifacts, data);
  for (const notice of checkSchema(model.encoder, reader.columns)) context.log.info(notice);
  const found: [string, ColumnDrift][] = [];
  for (const [k, encoder] of model.encoder.columns.entries()) {
    context.signal.throwIfAborted();
    context.progress(k / model.encoder.columns.length, `comparing ${encoder.name}`);
    const column = (await reader.table([encoder.name])).columns[encoder.name]!;
    found.push([encoder.name, columnDrift(columnReferenceOf(encoder), column)]);
  }
  const metrics = driftVerdict(found, options);
  context.log.info(metrics.reason);
  return { metrics };
};
