import { connectClient, temporalSettings, type TemporalSettings } from '@hourglass/activities/client';
import type { CliContext } from '../context.ts';

export type TemporalClient = Awaited<ReturnType<typeof connectClient>>['client'];

/** `--address`, `--namespace` of every command that speaks to a Temporal server. */
export interface TemporalFlags {
  address?: string;
  namespace?: string;
  json?: boolean;
}

/** Does something with a client of the server that the flags, the environment and temporal.toml name. */
export async function withClient<T>(
  context: CliContext,
  flags: TemporalFlags,
  work: (client: TemporalClient, settings: TemporalSettings) => Promise<T>,
): Promise<T> {
  const settings = temporalSettings(context.env, flags);
  const { client, close } = await connectClient(settings, context.env);
  try {
    return await work(client, settings);
  } finally {
    await close();
  }
}
