import { fileURLToPath } from 'node:url';
import { runExample } from '@hourglass/plugin-kit/testing';
import { expect, it } from 'vitest';

it('digits-matching separates its digits and finds more of their class than PCA of the same size', async () => {
  const pipeline = fileURLToPath(new URL('../../../../workflows/pipelines/digits-matching.yaml', import.meta.url));
  const { state } = await runExample(pipeline);
  const grown = state.stages.grow!.metrics!.metrics as { chosen: number };
  expect(grown.chosen).toBeGreaterThanOrEqual(5);
  expect(grown.chosen).toBeLessThanOrEqual(10);
});
