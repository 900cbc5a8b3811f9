import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../model/safetensors.ts';

const arrays = {
  weights: { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6.5) },
  quantiles: { shape: [2], values: Float64Array.of(0.1, 1e300) },
  codes: { shape: [3], values: Int32Array.of(-1, 0, 7) },
  empty: { shape: [0, 4], values: new Float32Array(0) },
};

describe('safetensors', () => {
  it('brings back every array exactly', () => {
    expect(readSafetensors(writeSafetensors(arrays))).toEqual(arrays);
  });

  it('reads from a Buffer that is a view into a larger one', () => {
    const bytes = writeSafetensors(arrays);
    const pool = Buffer.alloc(bytes.length + 13, 1);
    pool.set(bytes, 13);
    expect(readSafetensors(pool.subarray(13))).toEqual(arrays);
  });

  it('follows the format: header length, JSON with dtype, shape and offsets, then aligned data', () => {
    const bytes = writeSafetensors(arrays, { made: 'by hand' });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, unknown>;
    expect(header).toEqual({
      __metadata__: { made: 'by hand' },
      quantiles: { dtype: 'F64', shape: [2], data_offsets: [0, 16] },
      codes: { dtype: 'I32', shape: [3], data_offsets: [16, 28] },
      empty: { dtype: 'F32', shape: [0, 4], data_offsets: [28, 28] },
      weights: { dtype: 'F32', shape: [2, 3], data_offsets: [28, 52] },
    });
    expect(bytes.length).toBe(8 + length + 52);
  });

  it('gives equal bytes for equal arrays in another order', () => {
    const reversed = Object.fromEntries(Object.entries(arrays).toReversed());
    expect(writeSafetensors(reversed)).toEqual(writeSafetensors(arrays));
  });

  it.each([
    ['too few bytes', new Uint8Array(3), 'too few bytes'],
    ['a header longer than the file', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 1), 'a header of 255 bytes'],
    ['a header that is not JSON', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1), 'not JSON'],
    ['an array cut short', writeSafetensors(arrays).subarray(0, -1), '"weights" cut short'],
  ])('refuses %s', (_, bytes, found) => {
    expect(() => readSafetensors(bytes)).toThrow(found);
  });
});
