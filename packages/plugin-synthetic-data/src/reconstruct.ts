import { applyRows, generatorPasses, tableFromHeads } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import { loadGenerator } from './generator-model.ts';
import type { reconstruct } from './index.ts';

/** The most probable cells at the mean of each row's latent. */
export const run: StageRun<typeof reconstruct> = async (context, { data, model: ref }) => {
  const { model, heads } = await loadGenerator(context.artifacts, ref, 'synthetic-data/reconstruct');
  const learned = new Set(model.encoder.columns.map(({ name }) => name));
  const passes = await generatorPasses(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        order: 'table',
        columns: (reader) => reader.columns.filter(({ name }) => learned.has(name)),
        async transform(encoded) {
          const { mu } = await passes.posterior(encoded);
          return tableFromHeads(model.encoder, heads, await passes.distributions(mu), encoded.rows);
        },
      }),
    };
  } finally {
    passes.dispose();
  }
};
