import { createReadStream } from 'node:fs';

/** How a text file is encoded, as far as it is not UTF-8: by its byte order mark, or by bytes that UTF-8 has not. */
export type TextEncoding = 'utf-8' | 'utf-16' | 'unknown';

/** Looks at the whole file. Compressed files are not text: `utf-8`. */
export async function textEncoding(file: string): Promise<TextEncoding> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let first = true;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      if (first) {
        const mark = chunk.subarray(0, 4).toString('hex');
        if (/^(fffe|feff)/.test(mark)) return 'utf-16';
        if (/^(1f8b|28b52ffd)/.test(mark)) return 'utf-8';
      }
      first = false;
      decoder.decode(chunk, { stream: true });
    }
    decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) return 'unknown';
    throw error;
  }
  return 'utf-8';
}
