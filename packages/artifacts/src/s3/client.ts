import { AwsV4Signer } from 'aws4fetch';
import { hashBytes } from '../hash-file.ts';
import { exchange, type Incoming } from './exchange.ts';
import { answerFailure, connectionFailure } from './failure.ts';
import { withRetries, type RetryPolicy } from './retry.ts';
import type { S3Settings } from './settings.ts';

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Empty: the bucket itself. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** Statuses that are answers, not failures. @default those from 200 to 299 */
  accept?: readonly number[];
}

export interface S3Answer extends Incoming {
  /** Times the request was sent: after the first, an earlier one may have been carried out unnoticed. */
  sent: number;
}

/** Signed requests to one bucket, asked again when they fail for the moment. */
export interface S3Client {
  readonly endpoint: string;
  readonly bucket: string;
  send(request: S3Request): Promise<S3Answer>;
}

export interface S3ClientOptions extends Partial<RetryPolicy> {
  /** A connection on which nothing moves for so long is given up. @default 30000 */
  stallMs?: number;
}

/** @throws S3Failure from `send` */
export function s3Client(settings: S3Settings, bucket: string, options: S3ClientOptions = {}): S3Client {
  const { attempts = 8, firstWaitMs = 100, maxWaitMs = 5000, stallMs = 30_000 } = options;
  const base = settings.endpoint.href.replace(/\/$/, '');
  const signingKeys = new Map<string, ArrayBuffer>();

  async function once({ method, key, query = {}, headers = {}, body, accept }: S3Request): Promise<Incoming> {
    const url = new URL(`${base}/${bucket}${key === '' ? '' : `/${key.split('/').map(encode).join('/')}`}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signer = new AwsV4Signer({
      ...settings,
      method,
      url: url.href,
      // The service compares what arrived with this digest, so a damaged upload is refused.
      headers: { ...headers, 'x-amz-content-sha256': hashBytes(body ?? '') },
      service: 's3',
      cache: signingKeys,
    });
    const signed = await signer.sign();
    const answer = await exchange(
      { method, url: signed.url, headers: Object.fromEntries(signed.headers), ...(body ? { body } : {}) },
      stallMs,
    ).catch((error: unknown) => {
      throw connectionFailure(error);
    });
    if (accept?.includes(answer.status) || (answer.status >= 200 && answer.status < 300)) return answer;
    throw answerFailure(answer.status, answer.bytes);
  }

  return {
    endpoint: base,
    bucket,
    send: (request) =>
      withRetries({ attempts, firstWaitMs, maxWaitMs }, async (sent) => ({ ...(await once(request)), sent })),
  };
}

/** As signed: everything but letters, digits and `-._~`. */
const encode = (name: string): string =>
  encodeURIComponent(name).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
