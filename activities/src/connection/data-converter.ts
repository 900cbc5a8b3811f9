import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { aesCodec, codecKeys } from './payload-codec.ts';

/** Encrypts failures' messages too; in the bundle of the workflow as well. */
export const ENCODED_FAILURES = fileURLToPath(new URL('../../encoded-failures.cjs', import.meta.url));

/** Payloads as they are, or encrypted when `HOURGLASS_CODEC_KEY` is set. The same for clients and workers. */
export function dataConverter(env: Record<string, string | undefined>): DataConverter {
  const text = env['HOURGLASS_CODEC_KEY'];
  if (!text) return { payloadCodecs: [aesCodec([])] };
  return { payloadCodecs: [aesCodec(codecKeys(text))], failureConverterPath: ENCODED_FAILURES };
}
