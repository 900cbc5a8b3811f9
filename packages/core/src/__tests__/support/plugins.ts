import { z } from 'zod';
import { artifact } from '../../artifact.ts';
import { createRegistry } from '../../registry.ts';
import { definePlugin, defineStage } from '../../stage.ts';

const scores = z.object({ rmse: z.number(), baselines: z.record(z.string(), z.object({ rmse: z.number() })) });

export const data = definePlugin({
  name: 'data',
  summary: 'Tables in and out',
  stages: {
    ingest: defineStage({
      id: 'data/ingest',
      version: 1,
      summary: 'Read a table',
      inputs: {},
      outputs: { data: artifact.dataset() },
      options: z.object({
        uri: z.string().describe('File to read'),
        exclude: z.array(z.string()).default([]),
        contract: z.object({ minRows: z.int().min(1).optional(), notNull: z.array(z.string()).optional() }).optional(),
      }),
      sources: ['uri'],
    }),
    export: defineStage({
      id: 'data/export',
      version: 1,
      summary: 'Write a table',
      inputs: { data: artifact.dataset() },
      outputs: {},
      options: z.object({ uri: z.string() }),
      sinks: ['uri'],
    }),
    profile: defineStage({
      id: 'data/profile',
      version: 1,
      summary: 'Compare two tables',
      inputs: { data: artifact.dataset(), reference: artifact.optional(artifact.dataset()) },
      outputs: { metrics: artifact.metrics(z.object({ drift: z.number(), rows: z.int() })) },
      options: z.object({}),
    }),
  },
});

export const imputation = definePlugin({
  name: 'imputation',
  summary: 'Fill hidden cells',
  stages: {
    mask: defineStage({
      id: 'imputation/mask',
      version: 1,
      summary: 'Hide cells',
      inputs: { data: artifact.dataset() },
      outputs: { masked: artifact.dataset(), mask: artifact.dataset() },
      options: z.object({
        rate: z.number().gt(0).lt(1).default(0.2),
        mechanism: z.enum(['mcar', 'mar', 'mnar']).default('mcar'),
      }),
    }),
    train: defineStage({
      id: 'imputation/train',
      version: 1,
      summary: 'Learn to fill hidden cells',
      inputs: { data: artifact.dataset() },
      outputs: { model: artifact.model('imputation'), metrics: artifact.metrics(z.object({ loss: z.number() })) },
      options: z.object({
        latentDim: z.int().min(1).default(16).describe('Size of the latent'),
        epochs: z.int().min(1).default(10),
        label: z.string().optional(),
      }),
      resources: { engine: true, checkpoint: true },
    }),
    impute: defineStage({
      id: 'imputation/impute',
      version: 1,
      summary: 'Fill cells',
      inputs: { data: artifact.dataset(), model: artifact.model('imputation') },
      outputs: { data: artifact.dataset() },
      options: z.object({}),
    }),
    evaluate: defineStage({
      id: 'imputation/evaluate',
      version: 1,
      summary: 'Score filled cells',
      inputs: { imputed: artifact.dataset(), truth: artifact.dataset() },
      outputs: { metrics: artifact.metrics(scores) },
      options: z.object({ baselines: z.array(z.string()).default([]) }),
    }),
  },
});

const denoising = definePlugin({
  name: 'denoising',
  summary: 'Remove noise',
  stages: {
    train: defineStage({
      id: 'denoising/train',
      version: 1,
      summary: 'Learn to denoise',
      inputs: { data: artifact.dataset() },
      outputs: { model: artifact.model('denoising') },
      options: z.object({}),
    }),
  },
});

/** Three small plugins, enough for every rule of the grammar. */
export const registry = createRegistry([data, imputation, denoising]);
