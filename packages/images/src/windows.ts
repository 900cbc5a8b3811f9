/** A window over a picture: read `read`, keep what lies within `keep`. All in pixels of the picture. */
export interface Window {
  readLeft: number;
  readTop: number;
  keepLeft: number;
  keepTop: number;
  keepWidth: number;
  keepHeight: number;
}

export interface Windows {
  /** Size of every window: the picture's where that is smaller. */
  width: number;
  height: number;
  windows: Window[];
}

/**
 * Windows of one size that cover a picture in bounded memory: each keeps a tile and reads at least `halo` pixels more on
 * every side that is not the picture's own edge. With a halo as wide as a network sees, the tiles join exactly: a pixel
 * gets the same surroundings as in one pass over the whole picture.
 *
 * Where picture, tile and halo are multiples of a number, so is where windows begin: a network that halves its picture
 * halves every window alike.
 */
export function windowsOver(width: number, height: number, tile: number, halo: number): Windows {
  const side = tile + 2 * halo;
  const size = { width: Math.min(side, width), height: Math.min(side, height) };
  const windows: Window[] = [];
  for (let keepTop = 0; keepTop < height; keepTop += tile)
    for (let keepLeft = 0; keepLeft < width; keepLeft += tile)
      windows.push({
        readLeft: Math.max(0, Math.min(keepLeft - halo, width - size.width)),
        readTop: Math.max(0, Math.min(keepTop - halo, height - size.height)),
        keepLeft,
        keepTop,
        keepWidth: Math.min(tile, width - keepLeft),
        keepHeight: Math.min(tile, height - keepTop),
      });
  return { ...size, windows };
}
