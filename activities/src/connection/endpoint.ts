import { connect } from 'node:net';
import { HourglassError } from '@hourglass/core';
import { splitProtoHostPort } from '@temporalio/common/lib/internal-non-workflow/index.js';

const TEMPORAL_PORT = 7233;

/** Host and port of a server's address, as the SDK reads it. @throws CALL_INVALID */
export function endpointOf(address: string): { host: string; port: number } {
  const { scheme, hostname, port = TEMPORAL_PORT } = splitProtoHostPort(address) ?? {};
  if (hostname === undefined || scheme !== undefined || port > 65535)
    throw new HourglassError(
      'CALL_INVALID',
      `Address of the Temporal server (--address, TEMPORAL_ADDRESS, temporal.toml): expected HOST:PORT, found "${address}".`,
    );
  return { host: hostname, port };
}

/** Whether anything listens at the address of a server, within so many milliseconds. @throws CALL_INVALID */
export function listens(address: string, withinMs: number): Promise<boolean> {
  const socket = connect({ ...endpointOf(address), timeout: withinMs });
  return new Promise((resolve) => {
    const settle = (heard: boolean) => (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}
