import { alikeFinder, type PictureSketch, type RawImage } from '@hourglass/images';

/** Collects what is said of pictures while they pass. */
export interface ImageProfile {
  add(name: string, image: RawImage, sketch: PictureSketch, grey: boolean): void;
  images(): number;
  result(quarantined: number): {
    images: number;
    quarantined: number;
    grey: number;
    minWidth: number;
    maxWidth: number;
    minHeight: number;
    maxHeight: number;
    sizes: Record<string, number>;
    duplicates: number;
    alike: Alike[];
  };
}

/** A picture and the one before it that it looks like. */
interface Alike {
  picture: string;
  like: string;
}

const SIZES = 20;
const ALIKE = 20;

export function imageProfile(): ImageProfile {
  const finder = alikeFinder();
  const alike: Alike[] = [];
  const sizes = new Map<string, number>();
  let [count, duplicates, grey] = [0, 0, 0];
  const width = { min: Infinity, max: 0 };
  const height = { min: Infinity, max: 0 };
  const widen = (range: { min: number; max: number }, value: number): void => {
    range.min = Math.min(range.min, value);
    range.max = Math.max(range.max, value);
  };
  return {
    add(name, image, sketch, isGrey) {
      count++;
      if (isGrey) grey++;
      const like = finder.find(name, sketch);
      if (like !== undefined && ++duplicates <= ALIKE) alike.push({ picture: name, like });
      widen(width, image.width);
      widen(height, image.height);
      const size = `${image.width}x${image.height}`;
      sizes.set(size, (sizes.get(size) ?? 0) + 1);
    },
    images: () => count,
    result: (quarantined) => ({
      images: count,
      quarantined,
      grey,
      minWidth: width.min,
      maxWidth: width.max,
      minHeight: height.min,
      maxHeight: height.max,
      sizes: Object.fromEntries([...sizes].sort(([, a], [, b]) => b - a).slice(0, SIZES)),
      duplicates,
      alike,
    }),
  };
}
