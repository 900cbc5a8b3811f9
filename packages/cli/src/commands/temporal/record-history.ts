import { gzipSync } from 'node:zlib';
import { readHistory } from '@hourglass/activities/client';
import type { CliContext } from '../../context.ts';
import { deliver } from '../../output/deliver.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

/** `hourglass record-history RUN` */
export async function recordHistory(
  context: CliContext,
  run: string,
  flags: TemporalFlags & { output?: string },
): Promise<void> {
  const file = flags.output ?? `${run.replaceAll(/[^\w.-]/g, '_')}.history.json.gz`;
  const { json, events } = await withClient(context, flags, (client) => readHistory(client, run));
  const bytes = file.endsWith('.gz') ? gzipSync(json, { level: 9 }) : Buffer.from(`${json}\n`);
  await deliver(context, bytes, { file, overwrite: true });
  if (file === '-') return;
  const { stdout, colors: c } = context;
  if (flags.json) stdout.write(`${JSON.stringify({ runId: run, file, events, bytes: bytes.length })}\n`);
  else stdout.write(`${c.green('✓')} ${file}: ${events} events, ${Math.ceil(bytes.length / 1024)} KiB\n`);
}
