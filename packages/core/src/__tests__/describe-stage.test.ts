import { expect, it } from 'vitest';
import { z } from 'zod';
import { artifact } from '../artifact.ts';
import { describeStage } from '../describe-stage.ts';
import { defineStage } from '../stage.ts';

it('describes a stage in words: traits, inputs, outputs, options with type, default and use', () => {
  const stage = defineStage({
    id: 'toy/work',
    version: 2,
    summary: 's',
    inputs: { data: artifact.dataset('Rows'), model: artifact.optional(artifact.model('toy')) },
    outputs: { metrics: artifact.metrics(z.object({ a: z.number(), b: z.number() })) },
    options: z.object({
      from: z.string().describe('Read here'),
      to: z.string().optional(),
      share: z.number().gt(0).lte(1).default(0.5),
      count: z.int().default(3),
      either: z.union([z.enum(['x', 'y']), z.array(z.int().min(1))]).default('x'),
      nested: z.object({ deep: z.boolean() }).optional(),
    }),
    resources: { engine: true, accelerator: 'preferred', checkpoint: true },
    sources: ['from'],
    sinks: ['to'],
  });
  expect(describeStage(stage)).toEqual({
    traits: ['computes with tensors', 'accelerator preferred', 'saves checkpoints', 'version 2'],
    inputs: [
      { name: 'data', kind: 'dataset', description: 'Rows' },
      { name: 'model', kind: 'model (toy), optional', description: '' },
    ],
    outputs: [{ name: 'metrics', kind: 'metrics', description: 'metrics: a, b' }],
    options: [
      { name: 'from', type: 'string', required: true, use: 'read', description: 'Read here' },
      { name: 'to', type: 'string', required: false, use: 'written', description: '' },
      { name: 'share', type: 'number over 0 to 1', preset: 0.5, required: false, description: '' },
      { name: 'count', type: 'integer', preset: 3, required: false, description: '' },
      { name: 'either', type: 'x | y or list of integer from 1', preset: 'x', required: false, description: '' },
      { name: 'nested', type: '{ deep }', required: false, description: '' },
    ],
  });
});
