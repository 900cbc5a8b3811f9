import { createServer, type Server } from 'node:http';
import { serve } from '../connection/serve.ts';

/** `GET /healthz`: 200 while every worker polls, else 503, with their states. */
export async function healthServer(address: string | undefined, states: () => string[]): Promise<Server | undefined> {
  if (address === undefined) return undefined;
  const server = createServer((request, response) => {
    const now = states();
    const healthy = now.every((state) => state === 'RUNNING');
    response.statusCode = request.url !== '/healthz' ? 404 : healthy ? 200 : 503;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ status: healthy ? 'ok' : 'unavailable', workers: now })}\n`);
  });
  return serve(server, address, '--health');
}
