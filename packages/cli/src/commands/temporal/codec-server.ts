import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startCodecServer } from '@hourglass/activities/client';
import { HourglassError } from '@hourglass/core';
import type { CliContext } from '../../context.ts';

/** `hourglass codec-server`: until it is told to stop. */
export async function codecServer(context: CliContext, flags: { listen: string; origin: string }): Promise<void> {
  const { stdout, colors: c, env } = context;
  const keys = env.HOURGLASS_CODEC_KEY;
  if (!keys)
    throw new HourglassError(
      'CALL_INVALID',
      'HOURGLASS_CODEC_KEY is not set: there is nothing to decrypt with. Give this command the keys that workers and clients have.',
    );
  const server = await startCodecServer({ keys, address: flags.listen, origin: flags.origin });
  const { address, port } = server.address() as AddressInfo;
  stdout.write(
    `${c.green('✓')} codec endpoint http://${address}:${port} for pages of ${flags.origin}\n  ${c.cyan('→')} in the UI: the glasses at the top right, "Remote Codec Endpoint"\n`,
  );
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  await once(server, 'close');
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, stop);
}
