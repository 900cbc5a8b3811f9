import { createHash } from 'node:crypto';
import type { Checkpoint } from './types.ts';

/**
 * One file: magic (8 bytes), sha256 of all that follows (32), length of the header (4, little-endian), header (JSON:
 * arrays with dtype and length in order, meta), then the arrays' bytes, each beginning at a multiple of 8.
 */
const MAGIC = 'HGCKPT01';
const PREFIX = 8 + 32;

const DTYPES = { float32: Float32Array, int32: Int32Array, float64: Float64Array } as const;
type Dtype = keyof typeof DTYPES;
interface Header {
  arrays: { name: string; dtype: Dtype; length: number }[];
  meta: Record<string, unknown>;
}

export function encodeCheckpoint({ arrays, meta }: Checkpoint): Uint8Array {
  const header: Header = {
    arrays: Object.entries(arrays).map(([name, array]) => ({ name, dtype: dtypeOf(array), length: array.length })),
    meta,
  };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header, keepNumbers));
  let size = align(PREFIX + 4 + headerBytes.byteLength);
  for (const array of Object.values(arrays)) size = align(size + array.byteLength);
  const file = new Uint8Array(size);
  file.set(new TextEncoder().encode(MAGIC));
  new DataView(file.buffer).setUint32(PREFIX, headerBytes.byteLength, true);
  file.set(headerBytes, PREFIX + 4);
  let offset = align(PREFIX + 4 + headerBytes.byteLength);
  for (const array of Object.values(arrays)) {
    file.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset = align(offset + array.byteLength);
  }
  file.set(checksum(file), MAGIC.length);
  return file;
}

/** @returns undefined when the bytes are torn, damaged or not a checkpoint */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  if (bytes.byteLength < PREFIX + 4 || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC)
    return undefined;
  if (!checksum(bytes).equals(bytes.subarray(MAGIC.length, PREFIX))) return undefined;
  // A copy at offset 0, so that 8-byte elements are aligned wherever `bytes` began. (A Buffer's own slice would not copy.)
  const file = new Uint8Array(bytes);
  const headerLength = new DataView(file.buffer).getUint32(PREFIX, true);
  const text = new TextDecoder().decode(file.subarray(PREFIX + 4, PREFIX + 4 + headerLength));
  const header = JSON.parse(text, restoreNumbers) as Header;
  const arrays: Checkpoint['arrays'] = {};
  let offset = align(PREFIX + 4 + headerLength);
  for (const { name, dtype, length } of header.arrays) {
    const array = new DTYPES[dtype](file.buffer, offset, length);
    arrays[name] = array;
    offset = align(offset + array.byteLength);
  }
  return { arrays, meta: header.meta };
}

const align = (offset: number): number => (offset + 7) & ~7;
const checksum = (file: Uint8Array): Buffer => createHash('sha256').update(file.subarray(PREFIX)).digest();

function dtypeOf(array: Checkpoint['arrays'][string]): Dtype {
  return array instanceof Float32Array ? 'float32' : array instanceof Int32Array ? 'int32' : 'float64';
}

/** JSON loses NaN, ±Infinity and −0, and a best loss not yet set is Infinity: a resumed training must see the same. */
function keepNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? { $number: Object.is(value, -0) ? '-0' : String(value) }
    : value;
}

function restoreNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && '$number' in value ? Number(value.$number) : value;
}
