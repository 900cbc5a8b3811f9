import type { Server } from 'node:http';
import { HourglassError } from '@hourglass/core';
import { hostAndPort } from './host-and-port.ts';

/**
 * Serves at the address that an option of the command names.
 * @throws CALL_INVALID when it is none, or cannot be served
 */
export async function serve(server: Server, address: string, option: string, anyHost?: string): Promise<Server> {
  const { host, port } = hostAndPort(address, option, anyHost);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new HourglassError('CALL_INVALID', `${option}: ${address} cannot be served (${error.code}).`, { cause: error }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return server;
}
