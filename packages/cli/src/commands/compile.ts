import type { CliContext } from '../context.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { deliver } from '../output/deliver.ts';

/** `hourglass compile FILE` */
export async function compilePipeline(context: CliContext, file: string, options: { output?: string }): Promise<void> {
  const { plan } = await loadPipeline(context, file);
  await deliver(context, `${JSON.stringify(plan, null, 2)}\n`, { file: options.output, overwrite: true });
}
