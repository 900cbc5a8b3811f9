import { fileURLToPath } from 'node:url';
import { runExample } from '@hourglass/plugin-kit/testing';
import { expect, it } from 'vitest';

it('letter-features: features are worth labels, and end in predictions', { timeout: 600_000 }, async () => {
  const pipeline = fileURLToPath(new URL('../../../../workflows/pipelines/letter-features.yaml', import.meta.url));
  const { state } = await runExample(pipeline);
  const { metrics } = state.stages.evaluate!.metrics as {
    metrics: { accuracy: number; baselines: { raw: { accuracy: number } } };
  };
  expect(metrics.accuracy).toBeGreaterThan(metrics.baselines.raw.accuracy + 0.01);
});
