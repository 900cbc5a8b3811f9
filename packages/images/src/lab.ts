/**
 * sRGB ↔ CIE L*a*b* (D65, 2°), the space in which lightness and colour are apart. Source: IEC 61966-2-1 and CIE 15, the
 * constants of scikit-image's `rgb2lab`.
 */
const TO_XYZ = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
] as const;
const FROM_XYZ = [
  [3.24048134, -1.53715152, -0.49853633],
  [-0.96925495, 1.87599, 0.04155593],
  [0.05564664, -0.20404134, 1.05731107],
] as const;
/** White of D65. */
const WHITE = [0.95047, 1, 1.08883] as const;

const LINEAR = Float64Array.from({ length: 256 }, (_, value) => {
  const c = value / 255;
  return c > 0.04045 ? ((c + 0.055) / 1.055) ** 2.4 : c / 12.92;
});

const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
const inverse = (t: number): number => (t > 0.2068966 ? t ** 3 : (t - 16 / 116) / 7.787);

/**
 * @param rgb bytes `[n, 3]`
 * @returns `[n, 3]`: L 0…100, a and b about −110…110
 */
export function rgbToLab(rgb: Uint8Array): Float32Array {
  const lab = new Float32Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3) {
    const r = LINEAR[rgb[i]!]!;
    const g = LINEAR[rgb[i + 1]!]!;
    const b = LINEAR[rgb[i + 2]!]!;
    const [x, y, z] = TO_XYZ.map((row, k) => f((row[0] * r + row[1] * g + row[2] * b) / WHITE[k]!)) as [
      number,
      number,
      number,
    ];
    lab[i] = 116 * y - 16;
    lab[i + 1] = 500 * (x - y);
    lab[i + 2] = 200 * (y - z);
  }
  return lab;
}

/** The inverse, colours outside sRGB clipped. @param lab `[n, 3]` @returns bytes `[n, 3]` */
export function labToRgb(lab: Float32Array): Uint8Array {
  const rgb = new Uint8Array(lab.length);
  for (let i = 0; i < lab.length; i += 3) {
    const fy = (lab[i]! + 16) / 116;
    const x = inverse(lab[i + 1]! / 500 + fy) * WHITE[0];
    const y = inverse(fy);
    const z = inverse(Math.max(0, fy - lab[i + 2]! / 200)) * WHITE[2];
    for (let k = 0; k < 3; k++) {
      const row = FROM_XYZ[k]!;
      const c = row[0] * x + row[1] * y + row[2] * z;
      const gamma = c > 0.0031308 ? 1.055 * c ** (1 / 2.4) - 0.055 : 12.92 * c;
      rgb[i + k] = Math.round(255 * Math.min(1, Math.max(0, gamma)));
    }
  }
  return rgb;
}

/** L* 0…100 of each grey byte. */
export const GREY_LIGHTNESS = Float32Array.from({ length: 256 }, (_, value) => {
  const y = LINEAR[value]!;
  return 116 * f(y) - 16;
});
