import { applyRows, decodeTable, loadModel, predictor } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import type { reconstruct } from './index.ts';

/** Every learned cell as the model expects it, in the table's order of columns. */
export const run: StageRun<typeof reconstruct> = async (context, { data, model: ref }, { keep, latentOnly, exact }) => {
  const model = await loadModel(context.artifacts, ref);
  const learned = new Map(model.encoder.columns.map((column) => [column.name, column]));
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        order: 'table',
        columns: (reader) =>
          reader.columns
            .filter(({ name }) => learned.has(name))
            .map(({ name, physical }) => ({
              name,
              physical: exact && learned.get(name)!.kind !== 'category' ? 'DOUBLE' : physical,
            })),
        async transform(encoded) {
          const reconstruction = latentOnly
            ? await answer.fromLatents(await answer.latents(encoded))
            : await answer.reconstruct(encoded);
          return decodeTable(model.encoder, reconstruction, { as: exact ? 'exact' : 'deliver' });
        },
      }),
    };
  } finally {
    answer.dispose();
  }
};
