import { createServer, type Server } from 'node:http';
import { HourglassError } from '@hourglass/core';
import { hostAndPort } from '../connection/host-and-port.ts';

/** `GET /healthz`: 200 while every worker polls, else 503, with their states. */
export function healthServer(address: string | undefined, states: () => string[]): Promise<Server | undefined> {
  if (address === undefined) return Promise.resolve(undefined);
  const { host, port } = hostAndPort(address, '--health');
  const server = createServer((request, response) => {
    const now = states();
    const healthy = now.every((state) => state === 'RUNNING');
    response.statusCode = request.url !== '/healthz' ? 404 : healthy ? 200 : 503;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ status: healthy ? 'ok' : 'unavailable', workers: now })}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new HourglassError('CALL_INVALID', `--health: ${address} cannot be served (${error.code}).`, { cause: error }),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}
