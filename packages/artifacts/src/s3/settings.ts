import { HourglassError } from '@hourglass/core';

/** How to reach object storage. Comes from the environment only, so that no file ever holds a secret. */
export interface S3Settings {
  /** Base address; buckets are the first part of its paths ("path style"), which every implementation knows. */
  endpoint: URL;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * Reads `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or `AWS_DEFAULT_REGION`; default
 * us-east-1) and `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`; default Amazon's own).
 *
 * @throws CALL_INVALID naming the variable that is missing
 */
export function s3Settings(env: Record<string, string | undefined> = process.env): S3Settings {
  const required = (name: string): string => {
    const value = env[name];
    if (value) return value;
    throw new HourglassError(
      'CALL_INVALID',
      `Object storage (s3://…) needs ${name} in the environment, found nothing. ` +
        'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, outside of Amazon, AWS_ENDPOINT_URL_S3 (and AWS_REGION).',
    );
  };
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'us-east-1';
  const address = env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || `https://s3.${region}.amazonaws.com`;
  return {
    endpoint: endpointOf(address),
    region,
    accessKeyId: required('AWS_ACCESS_KEY_ID'),
    secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
    ...(env['AWS_SESSION_TOKEN'] ? { sessionToken: env['AWS_SESSION_TOKEN'] } : {}),
  };
}

function endpointOf(address: string): URL {
  const invalid = (found: string): HourglassError =>
    new HourglassError(
      'CALL_INVALID',
      `AWS_ENDPOINT_URL_S3: expected an address such as http://127.0.0.1:9000, found ${found}.`,
    );
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw invalid(`"${address}"`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`the scheme "${url.protocol}"`);
  if (url.username || url.password) throw invalid('one with a user in it');
  return url;
}
