import { fileURLToPath } from 'node:url';
import { runExample, testExamples } from '@hourglass/plugin-kit/testing';
import { expect, it } from 'vitest';

testExamples(new URL('../../examples', import.meta.url));

it('digits-reduction beats PCA at every size on digits not seen, and delivers latents', async () => {
  const pipeline = fileURLToPath(new URL('../../../../workflows/pipelines/digits-reduction.yaml', import.meta.url));
  const { state } = await runExample(pipeline);
  const { metrics } = state.stages.evaluate!.metrics as { metrics: { worstRatio: number } };
  expect(metrics.worstRatio).toBeLessThan(0.985);
});
