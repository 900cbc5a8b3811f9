import { pipelineJsonSchema } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { loadPlugins } from '../load-plugins.ts';
import { deliver } from '../output/deliver.ts';

/** `hourglass schema` */
export async function schema(context: CliContext, options: { output?: string }): Promise<void> {
  const { registry } = await loadPlugins(context);
  await deliver(context, `${JSON.stringify(pipelineJsonSchema(registry), null, 2)}\n`, {
    file: options.output,
    overwrite: true,
  });
}
