import type { PictureSketch } from './picture-sketch.ts';

/**
 * Bits in which the hashes of two copies may differ, and how far apart the mean colours of their cells may be (root of the
 * mean square, of 255). Of 1 000 photographs of 32 × 32 pixels, 98 % are found again after JPEG of quality 80 or at half the
 * size; larger ones change less. The two most similar of 1 797 different handwritten digits are 8.3 apart.
 */
const BITS = 7;
const APART = 6;

/** Eight bytes of a hash: two that differ in at most seven bits have one of them in common. */
const BYTES = 8;

/** Finds pictures that look like one before them. Holds some 500 bytes a picture. */
export interface AlikeFinder {
  /** The name of a picture before this one that it looks like; a picture that looks like none is remembered. */
  find(name: string, sketch: PictureSketch): string | undefined;
}

export function alikeFinder(): AlikeFinder {
  const names: string[] = [];
  const cells: Uint8Array[] = [];
  // Beside each other, since most pictures are only asked for their hash.
  const hashes: [number[], number[]] = [[], []];
  const byByte = Array.from({ length: BYTES * 256 }, (): number[] => []);
  return {
    find(name, sketch) {
      const [upper, lower] = sketch.hash;
      const lists = Array.from({ length: BYTES }, (_, i) => byByte[i * 256 + byteOf(sketch.hash, i)]!);
      for (const list of lists)
        for (const i of list)
          if (bitsOf(hashes[0][i]! ^ upper) + bitsOf(hashes[1][i]! ^ lower) <= BITS && isNear(cells[i]!, sketch.cells))
            return names[i];
      for (const list of lists) list.push(names.length);
      names.push(name);
      cells.push(sketch.cells);
      hashes[0].push(upper);
      hashes[1].push(lower);
      return undefined;
    },
  };
}

function isNear(a: Uint8Array, b: Uint8Array): boolean {
  const most = APART ** 2 * a.length;
  let squares = 0;
  for (let i = 0; i < a.length && squares <= most; i++) squares += (a[i]! - b[i]!) ** 2;
  return squares <= most;
}

const byteOf = (hash: PictureSketch['hash'], i: number): number => (hash[i >> 2]! >>> (8 * (i & 3))) & 255;

/** Bits that are set of 32, counted in pairs, fours and bytes. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
