import sharp from 'sharp';
import type { ImageFormat } from './destination-format.ts';
import type { RawImage } from './raw-image.ts';

/** A picture as PNG with fixed settings: the same pixels give the same bytes. */
export async function encodePng({ width, height, channels, data }: RawImage): Promise<Uint8Array> {
  const png = await sharp(data, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png({ compressionLevel: 6, adaptiveFiltering: true, palette: false })
    .toBuffer();
  return new Uint8Array(png);
}

/** @param quality of JPEG and WebP, 1…100 */
export async function encodeImage(image: RawImage, format: ImageFormat, quality: number): Promise<Uint8Array> {
  if (format === 'png') return encodePng(image);
  const { width, height, channels, data } = image;
  const picture = sharp(data, { raw: { width, height, channels } });
  const made =
    format === 'jpeg'
      ? picture.jpeg({ quality, chromaSubsampling: '4:4:4' })
      : format === 'webp'
        ? picture.webp({ quality })
        : picture.tiff({ compression: 'deflate' });
  return new Uint8Array(await made.toBuffer());
}
