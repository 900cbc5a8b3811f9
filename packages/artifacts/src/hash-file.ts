import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { BlobRef } from './types.ts';

const CHUNK = 1 << 20;

/** sha256 and size of a file, read in bounded memory. */
export async function hashFile(path: string): Promise<BlobRef> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
    return { digest: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}

export function hashBytes(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
