import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with a request. */
export type Fault =
  /** The server fails without doing anything. */
  | { kind: 'status'; status: number; code?: string }
  /** The answer stops in its middle. */
  | { kind: 'cut'; afterBytes: number }
  /** The request is carried out and its answer lost. */
  | { kind: 'lost' }
  /** Nothing comes for a while. */
  | { kind: 'slow'; ms: number }
  /** One byte of the answer is another. */
  | { kind: 'corrupt' };

export interface FaultProxy {
  readonly endpoint: string;
  /** `METHOD /path` of every request seen. */
  readonly requests: string[];
  /** Has the next `times` requests that match go wrong. */
  next(fault: Fault, matching: RegExp, times?: number): void;
  stop(): Promise<void>;
}

/** Stands before a server and has chosen requests go wrong, as networks and servers do. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const requests: string[] = [];
  let planned: { fault: Fault; matching: RegExp }[] = [];

  async function handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const plan = planned.find(({ matching }) => matching.test(line));
    planned = planned.filter((other) => other !== plan);
    const fault = plan?.fault;
    const body = await buffer(incoming);
    if (fault?.kind === 'status') {
      answer.writeHead(fault.status).end(`<Error><Code>${fault.code ?? 'InternalError'}</Code></Error>`);
      return;
    }
    if (fault?.kind === 'slow') await sleep(fault.ms);
    const upstream = await forward(target, incoming, body);
    let bytes = await buffer(upstream);
    if (fault?.kind === 'lost') {
      incoming.socket.destroy();
      return;
    }
    if (fault?.kind === 'corrupt' && bytes.byteLength > 0) {
      bytes = Buffer.from(bytes);
      bytes[bytes.byteLength >> 1]! ^= 1;
    }
    answer.writeHead(upstream.statusCode ?? 500, upstream.headers);
    if (fault?.kind !== 'cut') answer.end(bytes);
    else answer.write(bytes.subarray(0, fault.afterBytes), () => incoming.socket.destroy());
  }

  const server = createServer(
    (incoming, answer) => void handle(incoming, answer).catch(() => incoming.socket.destroy()),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next(fault, matching, times = 1) {
      for (let i = 0; i < times; i++) planned.push({ fault, matching });
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** With the headers as they are, host included: they are signed. */
function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    send({ hostname, port, path: url, method, headers }, resolve).on('error', reject).end(body);
  });
}
