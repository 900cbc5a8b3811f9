import { HourglassError } from '@hourglass/core';

/** A place in object storage. */
export interface S3Uri {
  bucket: string;
  /** Without a slash at either end; may be empty. */
  key: string;
}

export const isS3Uri = (text: string): boolean => /^s3:\/\//i.test(text);

/** `s3://bucket/some/key`. @throws CALL_INVALID; what may be a secret is not repeated */
export function parseS3Uri(uri: string): S3Uri {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(uri) ?? [];
  if (bucket.includes('@'))
    throw new HourglassError(
      'CALL_INVALID',
      `An s3:// address with a user or secret in it: expected s3://bucket/prefix. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment instead.`,
    );
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new HourglassError(
      'CALL_INVALID',
      `Address "${uri}": expected s3://bucket/prefix, where a bucket has 3 to 63 lower-case letters, digits, dots or dashes; found the bucket "${bucket}".`,
    );
  return { bucket, key: rest.replace(/^\/+|\/+$/g, '') };
}
