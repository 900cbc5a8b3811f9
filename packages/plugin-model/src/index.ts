import { artifact, definePlugin, defineStage } from '@hourglass/core';
import { z } from 'zod';
import { exportStage } from './export-manifest.ts';

const keep = z
  .array(z.string())
  .optional()
  .describe('Columns of the table that come along untouched. Default: those the model did not learn (ids, labels).');

/** Latents of every row of a table, by any application's model. */
export const encode = defineStage({
  id: 'model/encode',
  version: 1,
  summary: 'Export the latents of a table: z_1 … z_d beside its ids',
  inputs: { data: artifact.dataset(), model: artifact.model() },
  outputs: { data: artifact.dataset('Kept columns, then one FLOAT column for each dimension of the latent') },
  options: z.object({
    keep,
    prefix: z.string().min(1).default('z_').describe('Names of the latent columns: PREFIX1, PREFIX2 …'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** What a model makes of every row of a table, by any application's model. */
export const reconstruct = defineStage({
  id: 'model/reconstruct',
  version: 1,
  summary: 'Reconstruct a table: what the model expects in every cell',
  inputs: { data: artifact.dataset(), model: artifact.model() },
  outputs: { data: artifact.dataset('The table with every learned cell replaced by the model’s answer') },
  options: z.object({
    keep,
    latentOnly: z
      .boolean()
      .default(false)
      .describe('Answer from the latent alone, without the linear prediction some models add: shows what it holds.'),
    error: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Name of a column to add: how far what the latent holds is from the row (about 1: no better than the marginals).',
      ),
    exact: z
      .boolean()
      .default(false)
      .describe('Keep fractions in columns of whole numbers (as DOUBLE) and values outside the observed range.'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

export default definePlugin({
  name: 'model',
  summary: 'The stages every model shares',
  stages: { encode, reconstruct, export: exportStage },
});
export { exportStage };
