import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HourglassError } from '@hourglass/core';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { aesCodec, codecKeys } from './payload-codec.ts';
import { serve } from './serve.ts';

/** What the UI sends at once. */
const LARGEST_BODY = 16 * 2 ** 20;

interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

export interface CodecServerOptions {
  /** `HOURGLASS_CODEC_KEY`. */
  keys: string;
  /** `host:port` to serve on. */
  address: string;
  /** Where the UI is served: only its pages may ask. */
  origin: string;
}

/**
 * Decrypts payloads for people who look at the Temporal UI (its setting "Remote Codec Endpoint"), by Temporal's protocol:
 * `POST /decode` and `/encode`. Whoever reaches it reads everything: serve it where only they can.
 * @throws CALL_INVALID when the address cannot be served, or a key is wrong
 */
export async function startCodecServer({ keys, address, origin }: CodecServerOptions): Promise<Server> {
  const codec = aesCodec(codecKeys(keys));
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
    response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization');
    response.setHeader('access-control-allow-credentials', 'true');
    void answer(request, response, codec, origin);
  });
  return serve(server, address, '--listen', '127.0.0.1');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  codec: PayloadCodec,
  origin: string,
): Promise<void> {
  const end = (status: number, body = ''): void => void response.writeHead(status).end(body);
  if (request.method === 'OPTIONS') return end(204);
  const how = request.url === '/decode' ? 'decode' : request.url === '/encode' ? 'encode' : undefined;
  if (request.method !== 'POST' || how === undefined) return end(404);
  // A page of another origin could not read the answer; it is not given one either.
  if (request.headers.origin !== undefined && request.headers.origin !== origin) return end(403);
  try {
    const { payloads } = JSON.parse(await bodyOf(request)) as { payloads: JsonPayload[] };
    const done = await codec[how](payloads.map(fromJson));
    response.setHeader('content-type', 'application/json');
    end(200, JSON.stringify({ payloads: done.map(toJson) }));
  } catch (error) {
    end(
      400,
      error instanceof HourglassError ? error.message : 'expected {"payloads": […]}, encrypted with a key known here',
    );
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if ((bytes += chunk.length) > LARGEST_BODY) throw new HourglassError('CALL_INVALID', 'more than 16 MiB at once');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const fromJson = ({ metadata = {}, data = '' }: JsonPayload): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  data: Buffer.from(data, 'base64'),
});

const toJson = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
