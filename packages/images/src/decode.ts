import { HourglassError } from '@hourglass/core';
import sharp, { type Metadata } from 'sharp';
import type { RawImage } from './raw-image.ts';

// One picture is decoded by one thread: pictures are what runs side by side.
sharp.concurrency(1);
sharp.cache(false);

export interface DecodeOptions {
  /** @default as the picture is: grey stays grey */
  channels?: 1 | 3;
  /** Larger pictures are refused before they are decoded: a small file may hold a huge one. @default 100 000 000 */
  maxPixels?: number;
  /** Told of each kind of thing that the picture holds and its decoded form cannot. */
  onLoss?: (loss: PictureLoss) => void;
}

/** Parts that are not opaque; more than 8 bits a channel; frames or pages after the first. */
export type PictureLoss = 'transparency' | 'depth' | 'frames';

/** Pixels a picture may have unless said otherwise: a 12 000 × 8 000 photograph. */
export const MOST_PIXELS = 100_000_000;

/**
 * PNG, JPEG, WebP, TIFF, GIF, AVIF or SVG bytes as 8-bit grey or sRGB: turned as EXIF says, transparency laid over
 * white, 16 bits and CMYK converted, the first frame of an animation and page of a TIFF.
 *
 * @throws SOURCE_INVALID with the reason: not a picture, cut short, too many pixels
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  { channels, maxPixels = MOST_PIXELS, onLoss }: DecodeOptions = {},
): Promise<RawImage> {
  if (bytes.byteLength === 0) throw broken(name, 'the file holds no bytes');
  const found = await sharp(bytes, { limitInputPixels: false, failOn: 'error' })
    .metadata()
    .catch(() => undefined);
  if (!found) throw broken(name, 'its bytes are no picture this version reads (PNG, JPEG, WebP, TIFF, GIF, AVIF, SVG)');
  const pixels = found.width * found.height;
  if (pixels > maxPixels)
    throw broken(
      name,
      `it has ${found.width} × ${found.height} = ${pixels} pixels, more than maxPixels ${maxPixels} allows`,
    );
  const grey = channels === undefined ? isGreySpace(found) : channels === 1;
  const picture = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' }).rotate();
  if (found.hasAlpha) picture.flatten({ background: '#ffffff' });
  const { data, info } = await picture
    .toColourspace(grey ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw broken(name, `the file is damaged (${firstLine(error)})`, error);
    });
  if (onLoss) {
    // Many pictures have an alpha channel and nothing transparent.
    if (found.hasAlpha && (await isSeeThrough(bytes, maxPixels))) onLoss('transparency');
    if (found.depth !== 'uchar') onLoss('depth');
    if ((found.pages ?? 1) > 1) onLoss('frames');
  }
  return {
    width: info.width,
    height: info.height,
    channels: grey ? 1 : 3,
    data: grey ? firstChannel(data, info.channels) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

async function isSeeThrough(bytes: Uint8Array, limitInputPixels: number): Promise<boolean> {
  const alpha = await sharp(bytes, { limitInputPixels }).extractChannel('alpha').raw({ depth: 'uchar' }).toBuffer();
  return alpha.some((value) => value < 255);
}

/** Whether the file itself is grey, whatever its depth. */
const isGreySpace = ({ space, channels }: Metadata): boolean =>
  space === 'b-w' || space === 'grey16' || (channels !== undefined && channels < 3);

function firstChannel(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return new Uint8Array(data);
  return Uint8Array.from({ length: data.length / channels }, (_, i) => data[i * channels]!);
}

const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0]!.trim();

const broken = (name: string, found: string, cause?: unknown): HourglassError =>
  new HourglassError('SOURCE_INVALID', `${name}: expected a picture, but ${found}.`, {
    details: { picture: name, reason: found },
    cause,
  });
