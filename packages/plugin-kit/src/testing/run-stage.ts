import type { StageInputs, StageManifest, StageOutputs } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import type { StageRun } from '@hourglass/runtime';
import type { z } from 'zod';

import { fakeContext, type FakeContext, type FakeContextOptions } from './fake-context.ts';

/**
 * Calls a stage's `run` in this process with a fake context, for unit tests: options are parsed by the manifest first,
 * metrics checked by their schemas afterwards, as the runtime does.
 *
 * @throws OPTION_INVALID, OUTPUT_INVALID, and what the stage throws
 */
export async function runStage<M extends StageManifest>(stage: {
  manifest: M;
  run: StageRun<M>;
  inputs: StageInputs<M>;
  options?: z.input<M['options']>;
  context: FakeContextOptions;
}): Promise<{ outputs: StageOutputs<M>; said: FakeContext['said'] }> {
  const { manifest, run, inputs, options = {} } = stage;
  const parsed = manifest.options.safeParse(options);
  if (!parsed.success)
    throw new HourglassError('OPTION_INVALID', `${manifest.id}: ${described(parsed.error.issues)}`, {
      details: { issues: parsed.error.issues },
    });
  const context = fakeContext(stage.context);
  const outputs = await run(context, inputs, parsed.data as z.output<M['options']>);
  const found = outputs as Record<string, unknown>;
  for (const [name, type] of Object.entries(manifest.outputs)) {
    if (found[name] === undefined && !type.optional)
      throw new HourglassError('OUTPUT_INVALID', `${manifest.id}: output "${name}" is missing`);
    const checked = type.kind === 'metrics' ? type.schema?.safeParse(found[name]) : undefined;
    if (checked !== undefined && !checked.success)
      throw new HourglassError('OUTPUT_INVALID', `${manifest.id}: ${name}: ${described(checked.error.issues)}`);
  }
  return { outputs, said: context.said };
}

function described(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
}
