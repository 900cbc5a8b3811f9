import { applyRows, loadModel, predictor } from '@hourglass/autoencoder';
import type { ColumnData } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import type { encode } from './index.ts';

/** Latents `[n, d]` as columns beside the kept ones. */
export const run: StageRun<typeof encode> = async (context, { data, model: ref }, { keep, prefix }) => {
  const model = await loadModel(context.artifacts, ref);
  const { latentDim } = model.description.network;
  const names = Array.from({ length: latentDim }, (_, k) => `${prefix}${k + 1}`);
  if (model.members.length > 1)
    context.log.info(`the model has ${model.members.length} networks; the latents are those of the first`);
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        columns: () => names.map((name) => ({ name, physical: 'FLOAT' })),
        async transform(encoded) {
          const z = await answer.latents(encoded);
          const columns = names.map((name, k): [string, ColumnData] => [
            name,
            {
              kind: 'numeric',
              values: Float64Array.from({ length: encoded.rows }, (_, row) => z[row * latentDim + k]!),
            },
          ]);
          return { rows: encoded.rows, columns: Object.fromEntries(columns) };
        },
      }),
    };
  } finally {
    answer.dispose();
  }
};
