import { failureOf } from '@hourglass/core/testing';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeImage } from '../decode.ts';
import { encodePng } from '../encode.ts';
import type { RawImage } from '../raw-image.ts';

const gradient: RawImage = {
  width: 5,
  height: 3,
  channels: 3,
  data: Uint8Array.from({ length: 45 }, (_, i) => (i * 37) & 255),
};
const raw = { raw: { width: 5, height: 3, channels: 3 as const } };
const failing = (bytes: Uint8Array, options = {}): Promise<string> => failureOf(decodeImage(bytes, 'cat.png', options));

test('PNG, lossless WebP and TIFF come out pixel by pixel, and equal pixels make equal PNG bytes', async () => {
  const png = await encodePng(gradient);
  expect(await decodeImage(png, 'a')).toEqual(gradient);
  expect(await decodeImage(await sharp(gradient.data, raw).webp({ lossless: true }).toBuffer(), 'a')).toEqual(gradient);
  expect(await decodeImage(await sharp(gradient.data, raw).tiff({ compression: 'lzw' }).toBuffer(), 'a')).toEqual(
    gradient,
  );
  expect(Buffer.compare(await encodePng({ ...gradient }), png)).toBe(0);
});

test('a grey picture has one channel, of 8 as of 16 bits', async () => {
  const grey: RawImage = { width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 80, 160, 255) };
  expect(await decodeImage(await encodePng(grey), 'a')).toEqual(grey);
  const sixteen = await sharp(Uint16Array.of(0, 80 * 257, 160 * 257, 65535), {
    raw: { width: 2, height: 2, channels: 1 },
  })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect((await sharp(sixteen).metadata()).depth).toBe('ushort');
  const found = await decodeImage(sixteen, 'a');
  expect(found.channels).toBe(1);
  expect([...found.data]).toEqual([0, 80, 160, 255]);
});

test('a picture is turned as EXIF says, and what is transparent is white', async () => {
  const turned = await sharp(gradient.data, raw).withMetadata({ orientation: 6 }).tiff().toBuffer();
  expect(await decodeImage(turned, 'a')).toMatchObject({ width: 3, height: 5 });
  const clear = await sharp(Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255), {
    raw: { width: 2, height: 1, channels: 4 },
  })
    .png()
    .toBuffer();
  expect([...(await decodeImage(clear, 'a')).data]).toEqual([255, 255, 255, 10, 20, 30]);
});

test('16 bits in colour and grey with transparency come as 8 bits over white', async () => {
  const sixteen = await sharp(Uint16Array.of(65535, 0, 257 * 40, 65535, 0, 0, 0, 0), {
    raw: { width: 2, height: 1, channels: 4 },
  })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  expect(await sharp(sixteen).metadata()).toMatchObject({ depth: 'ushort', channels: 4 });
  expect([...(await decodeImage(sixteen, 'a')).data]).toEqual([255, 0, 40, 255, 255, 255]);
  const grey = await sharp(Uint8Array.of(90, 255, 90, 0), { raw: { width: 2, height: 1, channels: 2 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  expect(await decodeImage(grey, 'a')).toMatchObject({ channels: 1, data: Uint8Array.of(90, 255) });
});

test('CMYK becomes sRGB; of an animation the first frame comes', async () => {
  const cmyk = await sharp(gradient.data, raw).toColourspace('cmyk').jpeg().toBuffer();
  expect(await decodeImage(cmyk, 'a')).toMatchObject({ channels: 3, width: 5 });
  const orange = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#e08020' } })
    .toColourspace('cmyk')
    .jpeg({ quality: 100 })
    .toBuffer();
  expect((await sharp(orange).metadata()).space).toBe('cmyk');
  const [red, green, blue] = (await decodeImage(orange, 'a')).data;
  expect(red).toBeGreaterThan(180);
  expect(green).toBeGreaterThan(90);
  expect(blue).toBeLessThan(green! - 20);
  const frames = await sharp(Buffer.from(new Uint8Array(2 * 4 * 3).fill(200, 12)), {
    raw: { width: 2, height: 4, channels: 3, pageHeight: 2 },
  } as never)
    .gif({ delay: [10, 10] })
    .toBuffer();
  expect(await decodeImage(frames, 'a')).toMatchObject({ width: 2, height: 2 });
});

test('what a decoded picture cannot hold is told: transparency, more than 8 bits, further frames and pages', async () => {
  const losses = async (bytes: Uint8Array): Promise<string[]> => {
    const found: string[] = [];
    await decodeImage(bytes, 'a', { onLoss: (loss) => found.push(loss) });
    return found;
  };
  const rgba = (alpha: number): sharp.Sharp =>
    sharp(Uint8Array.of(1, 2, 3, alpha, 4, 5, 6, 255), { raw: { width: 2, height: 1, channels: 4 } });
  expect(await losses(await encodePng(gradient))).toEqual([]);
  expect(await losses(await rgba(255).png().toBuffer())).toEqual([]);
  expect(await losses(await rgba(254).png().toBuffer())).toEqual(['transparency']);
  expect(await losses(await rgba(0).png({ palette: true }).toBuffer())).toEqual(['transparency']);
  expect(await losses(await rgba(0).toColourspace('rgb16').png().toBuffer())).toEqual(['transparency', 'depth']);
  const pages = sharp(
    Uint8Array.from({ length: 24 }, (_, i) => i * 9),
    {
      raw: { width: 2, height: 4, channels: 3, pageHeight: 2 },
    } as never,
  );
  expect(
    await losses(
      await pages
        .clone()
        .webp({ delay: [10, 10] })
        .toBuffer(),
    ),
  ).toEqual(['frames']);
  expect(await losses(await pages.clone().tiff().toBuffer())).toEqual(['frames']);
});

test('what is no picture is named with the reason', async () => {
  expect(await failing(new Uint8Array())).toBe(
    'SOURCE_INVALID cat.png: expected a picture, but the file holds no bytes.',
  );
  expect(await failing(Buffer.from('id,name\n1,a\n'))).toContain('its bytes are no picture this version reads');
  const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) & 255);
  const png = await encodePng({ width: 64, height: 64, channels: 3, data: noise });
  expect(await failing(png.subarray(0, png.length / 2))).toMatch(/SOURCE_INVALID cat.png: .*the file is damaged/);
});

test('a small file that holds a huge picture is refused before it is decoded', async () => {
  const bomb = await sharp({ create: { width: 30_000, height: 4000, channels: 3, background: '#000' } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  expect(bomb.byteLength).toBeLessThan(2_000_000);
  expect(await failing(bomb)).toContain('it has 30000 × 4000 = 120000000 pixels, more than maxPixels 100000000 allows');
});
