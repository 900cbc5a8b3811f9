import { HourglassError } from '@hourglass/core';

/** A named array of a safetensors file. Row-major. */
export interface NamedArray {
  shape: number[];
  values: Float32Array | Float64Array | Int32Array;
}

const KINDS = {
  F32: { bytes: 4, make: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  F64: { bytes: 8, make: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  I32: { bytes: 4, make: (buffer: ArrayBuffer) => new Int32Array(buffer) },
} as const;
type Kind = keyof typeof KINDS;

const kindOf = (values: NamedArray['values']): Kind =>
  values instanceof Float32Array ? 'F32' : values instanceof Float64Array ? 'F64' : 'I32';

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/**
 * The bytes of a safetensors file: length of the header (u64), header (JSON), arrays one after the other. Wide types
 * first and names sorted within a type, so that every array is aligned and equal contents give equal bytes.
 * Format: https://github.com/huggingface/safetensors
 */
export function writeSafetensors(arrays: Record<string, NamedArray>, metadata?: Record<string, string>): Uint8Array {
  const entries = Object.entries(arrays).sort(
    ([a, { values: u }], [b, { values: v }]) => v.BYTES_PER_ELEMENT - u.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: Record<string, HeaderEntry | Record<string, string>> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { shape, values }] of entries) {
    header[name] = { dtype: kindOf(values), shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  let at = 8 + padded;
  for (const [, { values }] of entries) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Reads F32, F64 and I32 arrays.
 * @throws ARTIFACT_CORRUPT when the bytes are no such file
 */
export function readSafetensors(bytes: Uint8Array): Record<string, NamedArray> {
  const corrupt = (found: string): HourglassError =>
    new HourglassError('ARTIFACT_CORRUPT', `expected a safetensors file, found ${found} (${bytes.length} bytes)`);
  if (bytes.length < 8) throw corrupt('too few bytes for a header');
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) throw corrupt(`a header of ${length} bytes`);
  let header: Record<string, HeaderEntry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, HeaderEntry>;
  } catch {
    throw corrupt('a header that is not JSON');
  }
  const arrays: Record<string, NamedArray> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const kind = KINDS[entry.dtype as Kind];
    if (!kind) throw corrupt(`array "${name}" of type ${entry.dtype}; F32, F64 and I32 are read`);
    const [start, end] = entry.data_offsets;
    const size = entry.shape.reduce((product, side) => product * side, 1) * kind.bytes;
    if (end - start !== size || 8 + length + end > bytes.length) throw corrupt(`array "${name}" cut short`);
    // A copy: the values need not be aligned in the file (and `slice` of a Buffer would be a view of all of it).
    const copy = Uint8Array.from(bytes.subarray(8 + length + start, 8 + length + end));
    arrays[name] = { shape: entry.shape, values: kind.make(copy.buffer) };
  }
  return arrays;
}
