/**
 * Decodes the LZ4 frame format (github.com/lz4/lz4, doc/lz4_Frame_format.md): what Feather files are compressed with by
 * default. Checksums are passed over; Arrow checks lengths.
 */
export function decodeLz4Frame(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0x184d2204) throw new Error('not an LZ4 frame');
  const flags = bytes[4]!;
  const blockChecksum = (flags & 0x10) !== 0;
  const contentSize = (flags & 0x08) !== 0;
  if ((flags & 0x01) !== 0) throw new Error('LZ4 frames with dictionaries are not supported');
  let at = 7 + (contentSize ? 8 : 0);
  let out: Uint8Array<ArrayBuffer> = new Uint8Array(
    contentSize ? Number(view.getBigUint64(6, true)) : bytes.length * 4,
  );
  let filled = 0;
  const room = (more: number): void => {
    if (filled + more <= out.length) return;
    const larger = new Uint8Array(Math.max(out.length * 2, filled + more));
    larger.set(out.subarray(0, filled));
    out = larger;
  };
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const length = size & 0x7fffffff;
    const block = bytes.subarray(at, at + length);
    if (block.length < length) throw new Error('the LZ4 frame is cut short');
    if (size >>> 31 === 1) {
      room(length);
      out.set(block, filled);
      filled += length;
    } else decodeBlock(block);
    at += length + (blockChecksum ? 4 : 0);
  }
  return out.subarray(0, filled);

  function decodeBlock(block: Uint8Array): void {
    let i = 0;
    const more = (length: number): number => {
      if (length < 15) return length;
      let byte = 255;
      while (byte === 255) {
        byte = block[i++]!;
        length += byte;
      }
      return length;
    };
    while (i < block.length) {
      const token = block[i++]!;
      const literals = more(token >> 4);
      room(literals);
      out.set(block.subarray(i, i + literals), filled);
      i += literals;
      filled += literals;
      if (i >= block.length) return;
      const distance = block[i]! | (block[i + 1]! << 8);
      i += 2;
      const length = more(token & 15) + 4;
      if (distance === 0 || distance > filled) throw new Error('the LZ4 frame is damaged');
      room(length);
      // Byte by byte: a match may overlap what it writes.
      for (let k = 0; k < length; k++) out[filled + k] = out[filled + k - distance]!;
      filled += length;
    }
  }
}
