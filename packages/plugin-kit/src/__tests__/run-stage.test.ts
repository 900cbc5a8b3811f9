import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { artifact, defineStage } from '@hourglass/core';
import type { StageRun } from '@hourglass/runtime';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';

import { runStage } from '../testing/run-stage.ts';

const double = defineStage({
  id: 'toy/double',
  version: 1,
  summary: 'Double a number',
  inputs: {},
  outputs: { metrics: artifact.metrics(z.object({ value: z.number() })) },
  options: z.object({ value: z.number().max(10).default(2).describe('Number') }),
});
const run: StageRun<typeof double> = async (ctx, _inputs, { value }) => {
  ctx.progress(1, 'doubled');
  return { metrics: { value: 2 * value } };
};

const folder = await mkdtemp(join(tmpdir(), 'hourglass-run-stage-'));
const { artifacts } = await openStore(join(folder, 'store'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const context = { artifacts };

it('fills in defaults and keeps what the stage said', async () => {
  const { outputs, said } = await runStage({ manifest: double, run, inputs: {}, context });
  expect(outputs.metrics).toEqual({ value: 4 });
  expect(said.progress).toEqual(['doubled']);
});

it('refuses options and outputs that the manifest does not allow, by name', async () => {
  await expect(runStage({ manifest: double, run, inputs: {}, options: { value: 11 }, context })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('value'),
  });
  const wrong = (async () => ({ metrics: { value: 'four' } })) as never;
  await expect(runStage({ manifest: double, run: wrong, inputs: {}, context })).rejects.toMatchObject({
    code: 'OUTPUT_INVALID',
    message: expect.stringContaining('metrics: value'),
  });
});
