/** A picture in memory: bytes row by row, channels interleaved, `[height, width, channels]`; grey or sRGB. */
export interface RawImage {
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array;
}

/** An empty (black) picture. */
export const blankImage = (width: number, height: number, channels: 1 | 3): RawImage => ({
  width,
  height,
  channels,
  data: new Uint8Array(width * height * channels),
});

/** Channels of a picture as another asks for them: grey repeated, or the luma of sRGB (Rec. 709 weights on the bytes). */
export function withChannels(image: RawImage, channels: 1 | 3): RawImage {
  if (image.channels === channels) return image;
  const { width, height } = image;
  const result = blankImage(width, height, channels);
  for (let i = 0; i < width * height; i++)
    if (channels === 3) result.data.fill(image.data[i]!, 3 * i, 3 * i + 3);
    else
      result.data[i] = Math.round(
        0.2126 * image.data[3 * i]! + 0.7152 * image.data[3 * i + 1]! + 0.0722 * image.data[3 * i + 2]!,
      );
  return result;
}

/** Whether a colour picture holds no colour: no pixel whose channels differ by more than `tolerance`. @param tolerance @default 2 */
export function isGrey({ channels, data }: RawImage, tolerance = 2): boolean {
  if (channels === 1) return true;
  for (let i = 0; i < data.length; i += 3)
    if (Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!) > tolerance)
      return false;
  return true;
}
