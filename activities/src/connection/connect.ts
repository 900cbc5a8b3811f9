import { Client, Connection } from '@temporalio/client';
import { dataConverter } from './data-converter.ts';
import { reach } from './reach.ts';
import type { TemporalSettings } from './settings.ts';

/** A client of the server, or one line that says what to do. @throws CALL_INVALID when nothing answers, or the namespace is not there */
export async function connectClient(
  settings: TemporalSettings,
  env: Record<string, string | undefined>,
): Promise<{ client: Client; close(): Promise<void> }> {
  const connection = await reach(settings, () => Connection.connect({ ...settings.connection, connectTimeout: '5s' }));
  const client = new Client({ connection, namespace: settings.namespace, dataConverter: dataConverter(env) });
  return { client, close: () => connection.close() };
}
