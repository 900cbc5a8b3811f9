import { encodePng } from './encode.ts';
import { blankImage, withChannels, type RawImage } from './raw-image.ts';

export interface GridOptions {
  /** Pictures smaller than this are enlarged by whole factors, pixels kept sharp. @default 96 */
  side?: number;
  /** Pixels between pictures. @default 4 */
  gap?: number;
}

/** Rows of pictures as one PNG: before, after and truth side by side. @throws RangeError without pictures */
export async function imageGrid(rows: RawImage[][], { side = 96, gap = 4 }: GridOptions = {}): Promise<Uint8Array> {
  const all = rows.flat();
  if (all.length === 0) throw new RangeError('a grid needs at least one picture');
  const channels = all.some((image) => image.channels === 3) ? 3 : 1;
  const largest = Math.max(...all.map(({ width, height }) => Math.max(width, height)));
  const factor = Math.max(1, Math.floor(side / largest));
  const columns = Math.max(...rows.map((row) => row.length));
  const cellWidth = Math.max(...all.map(({ width }) => width)) * factor;
  const cellHeight = Math.max(...all.map(({ height }) => height)) * factor;
  const grid = blankImage(columns * (cellWidth + gap) + gap, rows.length * (cellHeight + gap) + gap, channels);
  grid.data.fill(255);
  rows.forEach((row, r) =>
    row.forEach((image, c) =>
      paint(grid, withChannels(image, channels), gap + c * (cellWidth + gap), gap + r * (cellHeight + gap), factor),
    ),
  );
  return encodePng(grid);
}

function paint(onto: RawImage, image: RawImage, left: number, top: number, factor: number): void {
  const { channels } = onto;
  for (let y = 0; y < image.height * factor; y++)
    for (let x = 0; x < image.width * factor; x++) {
      const from = (Math.floor(y / factor) * image.width + Math.floor(x / factor)) * channels;
      const to = ((top + y) * onto.width + left + x) * channels;
      for (let k = 0; k < channels; k++) onto.data[to + k] = image.data[from + k]!;
    }
}
