import { existsSync } from 'node:fs';
import { HourglassError } from '@hourglass/core';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { endpointOf } from './endpoint.ts';

type Env = Record<string, string | undefined>;

/** Where the server is and how to speak to it; the same for clients and workers. */
export interface TemporalSettings {
  /** Options of a connection: address, TLS, API key, headers. */
  connection: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  address: string;
  namespace: string;
  /** Base of the task queues' names. @default hourglass */
  taskQueue: string;
}

export const DEFAULT_ADDRESS = 'localhost:7233';

/**
 * Settings by Temporal's own conventions: a profile of `temporal.toml` (`TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`), over it
 * `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…`. Secrets come from there, never from a pipeline.
 * @throws CALL_INVALID when the file is not there, the profile cannot be read or has unknown keys, or the address is none
 */
export function temporalSettings(env: Env, overrides: { address?: string; namespace?: string } = {}): TemporalSettings {
  // Temporal's own reader takes a file that is not there for one that says nothing: right only where nobody named it.
  const file = env['TEMPORAL_CONFIG_FILE'];
  if (file && !existsSync(file))
    throw new HourglassError('CALL_INVALID', `TEMPORAL_CONFIG_FILE: there is no file ${file}.`);
  let config: ReturnType<typeof loadClientConnectConfig>;
  try {
    config = loadClientConnectConfig({
      overrideEnvVars: given(env),
      profile: env['TEMPORAL_PROFILE'] || undefined,
      // A key that is misspelt would leave its default in force, such as a server on this machine.
      configFileStrict: true,
    });
  } catch (error) {
    throw new HourglassError(
      'CALL_INVALID',
      `The Temporal profile cannot be read: ${(error as Error).message}. Check temporal.toml (TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE) and the TEMPORAL_… variables.`,
      { cause: error },
    );
  }
  const address = overrides.address ?? config.connectionOptions.address ?? DEFAULT_ADDRESS;
  endpointOf(address);
  return {
    connection: { ...config.connectionOptions, address },
    address,
    namespace: overrides.namespace ?? config.namespace ?? 'default',
    taskQueue: env['HOURGLASS_TASK_QUEUE'] || 'hourglass',
  };
}

function given(env: Env): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
