import { createServer, type Server } from 'node:http';
import { HourglassError } from '@hourglass/core';

/** `host:port`, `:port` or `port`. @throws CALL_INVALID */
export function hostAndPort(address: string, what: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new HourglassError('CALL_INVALID', `${what}: expected HOST:PORT, found "${address}".`);
  return { host: at > 0 ? address.slice(0, at) : '0.0.0.0', port };
}

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
