import http from 'node:http';
import https from 'node:https';

export interface Outgoing {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array;
}

export interface Incoming {
  status: number;
  headers: http.IncomingHttpHeaders;
  bytes: Uint8Array;
}

const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true }),
};

/**
 * One request and its whole answer, bytes as they come (nothing is unpacked, no redirect followed).
 *
 * @param stallMs the connection is given up when nothing moves on it for so long
 * @throws the system's error when the connection fails or is cut before the answer is whole
 */
export function exchange({ method, url, headers, body }: Outgoing, stallMs: number): Promise<Incoming> {
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(url, {
      method,
      agent: secure ? agents['https:'] : agents['http:'],
      headers: { ...headers, ...(body ? { 'content-length': String(body.byteLength) } : {}) },
    });
    request.setTimeout(stallMs, () =>
      request.destroy(Object.assign(new Error(`nothing came for ${stallMs / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.complete)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) });
        else reject(Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' }));
      });
    });
    request.end(body);
  });
}
