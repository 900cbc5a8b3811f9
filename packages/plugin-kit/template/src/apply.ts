import { applyRows, decodeTable, loadModel, predictor } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import type { apply } from './index.ts';

/** Read-out: every learned cell as the model expects it, part by part, so that tables of any size pass through. */
export const run: StageRun<typeof apply> = async (context, { data, model: ref }, { keep }) => {
  const model = await loadModel(context.artifacts, ref);
  const learned = new Set(model.encoder.columns.map(({ name }) => name));
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        columns: (reader) => reader.columns.filter(({ name }) => learned.has(name)),
        transform: async (rows) => decodeTable(model.encoder, await answer.reconstruct(rows)),
      }),
    };
  } finally {
    answer.dispose();
  }
};
