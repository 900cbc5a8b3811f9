/** A window over a picture: read `read`, keep what lies within `keep`. All in pixels. */
export interface Window {
  readLeft: number;
  readTop: number;
  readWidth: number;
  readHeight: number;
  keepLeft: number;
  keepTop: number;
  keepWidth: number;
  keepHeight: number;
}

/**
 * Windows that cover a picture of any size in bounded memory: each keeps a tile and reads `halo` pixels more on every side
 * that is not the picture's own edge. With a halo as wide as a network sees, the tiles join exactly: a pixel gets the same
 * surroundings as in one pass over the whole picture. Windows begin at multiples of `multiple`, so that a network which halves
 * its picture halves every window alike.
 *
 * @param tile side of the tiles kept, a multiple of `multiple`
 */
export function windowsOver(width: number, height: number, tile: number, halo: number, multiple = 1): Window[] {
  const around = Math.ceil(halo / multiple) * multiple;
  const windows: Window[] = [];
  for (let keepTop = 0; keepTop < height; keepTop += tile)
    for (let keepLeft = 0; keepLeft < width; keepLeft += tile) {
      const keepWidth = Math.min(tile, width - keepLeft);
      const keepHeight = Math.min(tile, height - keepTop);
      const readLeft = Math.max(0, keepLeft - around);
      const readTop = Math.max(0, keepTop - around);
      windows.push({
        readLeft,
        readTop,
        readWidth: Math.min(width, keepLeft + keepWidth + around) - readLeft,
        readHeight: Math.min(height, keepTop + keepHeight + around) - readTop,
        keepLeft,
        keepTop,
        keepWidth,
        keepHeight,
      });
    }
  return windows;
}
