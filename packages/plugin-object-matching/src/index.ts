import { latentOptions, learnerMetrics } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { distortionOptions } from './distortion-options.ts';
import { INDEX } from './index-name.ts';
import { growMetrics, indexMetrics, matchingMetrics } from './metrics-schema.ts';

const indexInput = artifact.model(INDEX, 'Made by object-matching/index, add or remove');
const indexOutput = artifact.model(INDEX, 'Latents with ids and payload, and the model that made them');
const engine = { engine: true, accelerator: 'preferred' } as const;

/** Learns latents in which near means alike. */
export const train = defineStage({
  id: 'object-matching/train',
  version: 1,
  summary: 'Learn latents in which near means alike',
  inputs: { data: artifact.dataset() },
  outputs: { model: artifact.model('object-matching'), metrics: artifact.metrics(learnerMetrics) },
  options: z.object({
    ...latentOptions,
    ordered: z
      .boolean()
      .default(true)
      .describe('Order the latent, so that one training answers for every size: see object-matching/grow.'),
  }),
  resources: { ...engine, checkpoint: true },
});

/** Finds the smallest latent that tells the objects apart. */
export const grow = defineStage({
  id: 'object-matching/grow',
  version: 1,
  summary: 'Grow the latent until distorted objects still find themselves',
  inputs: {
    data: artifact.dataset('Objects to tell apart'),
    model: artifact.model('object-matching', 'Trained with ordered: true: one training answers for every size'),
  },
  outputs: {
    metrics: artifact.metrics(growMetrics),
    figures: artifact.figures('Separation by size of the latent'),
  },
  options: z.object({
    level: z
      .number()
      .gt(0)
      .max(1)
      .default(0.99)
      .describe('Share of distorted objects whose nearest object must be themselves.'),
    from: z.int().min(1).default(2).describe('Size to begin with.'),
    id: z.string().optional().describe('Column that names objects in the confused pairs. Default: row numbers.'),
    ...distortionOptions,
    maxObjects: z
      .int()
      .min(2)
      .default(5000)
      .describe('Objects looked at, taken evenly: all pairs are compared, at every size.'),
  }),
  resources: engine,
});

/** A search engine over a table. */
export const index = defineStage({
  id: 'object-matching/index',
  version: 1,
  summary: 'Store latents with ids and payload, to search among them',
  inputs: { data: artifact.dataset('The gallery: objects to be found'), model: artifact.model('object-matching') },
  outputs: { index: indexOutput, metrics: artifact.metrics(indexMetrics) },
  options: z.object({
    id: z.string().optional().describe('Column that names each object, no name twice. Default: row numbers from 0.'),
    payload: z
      .array(z.string())
      .optional()
      .describe('Columns given back with a match. Default: those the model did not learn.'),
    dims: z
      .int()
      .min(1)
      .optional()
      .describe('The first so many dimensions of ordered latents, such as `chosen` of grow. Default: all.'),
    search: z
      .enum(['auto', 'exact', 'approximate'])
      .default('auto')
      .describe(
        'exact: every object is compared. approximate: a graph (HNSW). auto: approximate beyond 50 000 objects.',
      ),
    connectivity: z.int().min(2).max(256).default(16).describe('Links of a node of the graph.'),
    expansionAdd: z.int().min(1).default(128).describe('Candidates looked at while the graph is built.'),
    expansionSearch: z.int().min(1).default(128).describe('Candidates looked at while searching: recall against time.'),
  }),
  resources: engine,
});

/** The nearest objects of each query. */
export const match = defineStage({
  id: 'object-matching/match',
  version: 1,
  summary: 'Find the k nearest objects of each query',
  inputs: {
    index: indexInput,
    data: artifact.dataset('Queries: a table with the learned columns'),
    model: artifact.optional(
      artifact.model('object-matching', 'When connected, the index must have been made by this model'),
    ),
  },
  outputs: { data: artifact.dataset('One row for each query and rank') },
  options: z.object({
    k: z.int().min(1).default(10).describe('Matches a query.'),
    queryId: z.string().optional().describe('Column that names each query. Default: row numbers from 0.'),
    search: z.enum(['as-indexed', 'exact']).default('as-indexed').describe('exact: compare every object after all.'),
  }),
  resources: engine,
});

/** The index with more objects. */
export const add = defineStage({
  id: 'object-matching/add',
  version: 1,
  summary: 'Add objects to an index, as a new version of it',
  inputs: {
    index: indexInput,
    data: artifact.dataset('Objects to add: learned columns, id and payload'),
    model: artifact.optional(
      artifact.model('object-matching', 'When connected, the index must have been made by this model'),
    ),
  },
  outputs: { index: indexOutput, metrics: artifact.metrics(indexMetrics) },
  options: z.object({
    existing: z
      .enum(['refuse', 'replace'])
      .default('refuse')
      .describe('An id that is in the index already: an error that names it, or the new object in its place.'),
  }),
  resources: engine,
});

/** The index without some objects. */
export const remove = defineStage({
  id: 'object-matching/remove',
  version: 1,
  summary: 'Remove objects from an index, as a new version of it',
  inputs: {
    index: indexInput,
    data: artifact.optional(artifact.dataset('A table whose id column names the objects to remove')),
  },
  outputs: { index: indexOutput, metrics: artifact.metrics(indexMetrics) },
  options: z.object({
    ids: z
      .array(z.union([z.string(), z.number()]))
      .default([])
      .describe('Ids of objects to remove.'),
    absent: z
      .enum(['refuse', 'ignore'])
      .default('refuse')
      .describe('An id that is not in the index: an error that names it, or nothing.'),
  }),
});

/** How well objects are found. */
export const evaluate = defineStage({
  id: 'object-matching/evaluate',
  version: 1,
  summary: 'Measure how well objects are found, beside PCA of the same size and raw columns',
  inputs: {
    index: indexInput,
    gallery: artifact.dataset('The rows the index was made of'),
    data: artifact.dataset('Queries, with the label'),
  },
  outputs: { metrics: artifact.metrics(matchingMetrics) },
  options: z.object({
    label: z.string().optional().describe('Column with classes in both tables, not learned: precision and 1-NN.'),
    learnedLabel: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('A label that the model learned from is a leak: refuse to score by it, or allow it.'),
    k: z.int().min(1).default(10).describe('Matches a query is scored on.'),
    ...distortionOptions,
    maxQueries: z.int().min(1).default(2000).describe('Queries at most, taken evenly.'),
  }),
  resources: engine,
});

export default definePlugin({
  name: 'object-matching',
  summary: 'Find the stored objects nearest to a query, in the latent space',
  stages: { train, grow, index, match, add, remove, evaluate },
});
