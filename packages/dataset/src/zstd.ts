import * as zlib from 'node:zlib';
import { decompress } from 'fzstd';

const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array };

/** Decodes Zstandard, by Node from 22.15 on, in JavaScript before; what comes begins at the start of its buffer. */
export const decodeZstd = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(zstdDecompressSync?.(bytes) ?? decompress(bytes));
