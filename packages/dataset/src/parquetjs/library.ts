import parquetjs from '@dsnp/parquetjs';
import { PARQUET_COMPRESSION_METHODS } from '@dsnp/parquetjs/dist/lib/compression.js';
import { decodeZstd } from '../zstd.ts';

// The library reads gzip, snappy and brotli; most files of today, ours among them, are zstd.
Object.assign(PARQUET_COMPRESSION_METHODS, {
  ZSTD: {
    inflate: (bytes: Uint8Array) => Buffer.from(decodeZstd(bytes)),
    deflate: () => {
      throw new Error('zstd is read only');
    },
  },
});

export const { ParquetReader, ParquetWriter, ParquetSchema, ParquetShredder } = parquetjs;
