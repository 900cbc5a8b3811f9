import sharp from 'sharp';
import type { RawImage } from './raw-image.ts';

/**
 * 64-bit difference hash: whether each pixel of a 9 × 8 thumbnail is brighter than the one to its right. Pictures that look
 * the same have the same hash, whatever their size or format. Source: Krawetz 2013 (dHash).
 */
export async function perceptualHash({ width, height, channels, data }: RawImage): Promise<string> {
  const small = await sharp(data, { raw: { width, height, channels } })
    .resize(9, 8, { fit: 'fill', kernel: 'cubic' })
    .toColourspace('b-w')
    .raw({ depth: 'uchar' })
    .toBuffer();
  const stride = small.length / 72;
  let hash = 0n;
  for (let y = 0; y < 8; y++)
    for (let x = 0; x < 8; x++)
      hash = (hash << 1n) | (small[(9 * y + x) * stride]! > small[(9 * y + x + 1) * stride]! ? 1n : 0n);
  return hash.toString(16).padStart(16, '0');
}
