import { connect } from 'node:net';
import { temporalSettings } from '@hourglass/activities/client';
import type { Store } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { readRun, type RunRecord } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { type TemporalClient, type TemporalFlags, withClient } from './with-client.ts';

const PROBE_MS = 1000;

/**
 * A run by its id: of this machine, else on the server. With `--address` or `--namespace` only the server is asked.
 * @returns the record of a run here, or what to call for one on the server
 * @throws RUN_NOT_FOUND, naming both places where both were looked at
 */
export async function findRun(
  context: CliContext,
  store: Store,
  run: string,
  flags: TemporalFlags,
): Promise<{ here: RunRecord } | { server: TemporalFlags }> {
  if (flags.address ?? flags.namespace) return { server: flags };
  let missing: HourglassError;
  try {
    return { here: await readRun(store, run) };
  } catch (error) {
    if (!(error instanceof HourglassError && error.code === 'RUN_NOT_FOUND')) throw error;
    missing = error;
  }
  const { address, namespace } = temporalSettings(context.env, flags);
  if (!(await answers(address))) throw missing;
  const known = await withClient(context, flags, (client) => exists(client, run));
  if (known) return { server: flags };
  throw new HourglassError(
    'RUN_NOT_FOUND',
    `${missing.message} Nor is there one on the Temporal server at ${address} (namespace ${namespace}).`,
    { details: missing.details },
  );
}

async function exists(client: TemporalClient, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).describe();
    return true;
  } catch {
    return false;
  }
}

/** Whether anything listens there: a person with runs of this machine only should not wait for a server. */
function answers(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), timeout: PROBE_MS });
  return new Promise((resolve) => {
    const settle = (heard: boolean) => (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}
