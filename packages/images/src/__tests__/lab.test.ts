import { expect, test } from 'vitest';
import { GREY_LIGHTNESS, labToRgb, rgbToLab } from '../lab.ts';

test('known colours have the coordinates that scikit-image gives them', () => {
  // skimage.color.rgb2lab of scikit-image 0.25
  const known: [number[], number[]][] = [
    [
      [255, 255, 255],
      [100, 0, 0],
    ],
    [
      [255, 0, 0],
      [53.2406, 80.0942, 67.2028],
    ],
    [
      [0, 128, 64],
      [46.7209, -45.4995, 26.3573],
    ],
    [
      [12, 34, 200],
      [27.8196, 55.8471, -83.8083],
    ],
  ];
  for (const [rgb, lab] of known)
    rgbToLab(Uint8Array.from(rgb)).forEach((value, i) => expect(value).toBeCloseTo(lab[i]!, 2));
});

test('every colour of a coarse cube comes back within one step', () => {
  const cube: number[] = [];
  for (let r = 0; r < 256; r += 15)
    for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) cube.push(r, g, b);
  const rgb = Uint8Array.from(cube);
  const again = labToRgb(rgbToLab(rgb));
  expect(Math.max(...again.map((value, i) => Math.abs(value - rgb[i]!)))).toBeLessThanOrEqual(1);
});

test('the lightness of grey is that of its colour, and grey has no colour', () => {
  const grey = rgbToLab(Uint8Array.of(90, 90, 90));
  expect(grey[0]).toBeCloseTo(GREY_LIGHTNESS[90]!, 3);
  expect(Math.abs(grey[1]!)).toBeLessThan(0.01);
  expect(Math.abs(grey[2]!)).toBeLessThan(0.01);
});
