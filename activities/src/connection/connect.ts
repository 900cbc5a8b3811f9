import { HourglassError } from '@hourglass/core';
import { Client, Connection } from '@temporalio/client';
import { dataConverter } from './data-converter.ts';
import type { TemporalSettings } from './settings.ts';

/** A client of the server, or one line that says what to do. @throws CALL_INVALID when nothing answers */
export async function connectClient(
  settings: TemporalSettings,
  env: Record<string, string | undefined>,
): Promise<{ client: Client; close(): Promise<void> }> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...settings.connection, connectTimeout: '5s' });
  } catch (error) {
    throw new HourglassError(
      'CALL_INVALID',
      `No Temporal server answers at ${settings.address}. Start one here with \`hourglass dev\`, or name yours: TEMPORAL_ADDRESS, or a profile in temporal.toml (TEMPORAL_PROFILE).`,
      { cause: error },
    );
  }
  const client = new Client({ connection, namespace: settings.namespace, dataConverter: dataConverter(env) });
  return { client, close: () => connection.close() };
}
