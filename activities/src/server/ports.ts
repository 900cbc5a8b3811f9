import { createServer } from 'node:net';
import { HourglassError } from '@hourglass/core';

const LARGEST = 65_535;

/** A port nobody listens on now. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/**
 * Another server on the port would be taken for the one that is started, and that one for running.
 * @throws CALL_INVALID, naming the option
 */
export async function refuseBusyPort(port: number, option: string, otherwise: string): Promise<void> {
  if (port > LARGEST)
    throw new HourglassError('CALL_INVALID', `${option}: expected a port of at most ${LARGEST}, found ${port}.`);
  try {
    await listenOnce(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'EADDRINUSE' ? `port ${port} is in use` : `port ${port} cannot be served (${code})`;
    throw new HourglassError('CALL_INVALID', `${option}: ${found}. ${otherwise}`, { cause: error });
  }
}

function listenOnce(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
