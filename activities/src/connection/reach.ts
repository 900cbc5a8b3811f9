import { HourglassError } from '@hourglass/core';
import type { TemporalSettings } from './settings.ts';

/** The part of a client's or a worker's connection that is looked at here. */
interface Reached {
  workflowService: { describeNamespace(request: { namespace: string }): Promise<unknown> };
  close(): Promise<void>;
}

const GRPC_NOT_FOUND = 5;

/** Connects, and sees that the namespace is there. @throws CALL_INVALID when nothing answers, or the namespace is not there */
export async function reach<C extends Reached>(settings: TemporalSettings, connect: () => Promise<C>): Promise<C> {
  const { address, namespace } = settings;
  let connection: C;
  try {
    connection = await connect();
  } catch (error) {
    throw new HourglassError(
      'CALL_INVALID',
      `No Temporal server answers at ${address}. Start one here with \`hourglass dev\`, or name yours: TEMPORAL_ADDRESS, or a profile in temporal.toml (TEMPORAL_PROFILE).`,
      { cause: error },
    );
  }
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    // Whoever may not look at a namespace may work in it all the same.
    if (Number((error as { code?: unknown }).code) !== GRPC_NOT_FOUND) return connection;
    await connection.close();
    throw new HourglassError(
      'CALL_INVALID',
      `No namespace "${namespace}" at ${address}. Check --namespace, TEMPORAL_NAMESPACE and the profile in temporal.toml (TEMPORAL_PROFILE), or make it: temporal operator namespace create --namespace ${namespace} --address ${address}`,
      { cause: error },
    );
  }
  return connection;
}
