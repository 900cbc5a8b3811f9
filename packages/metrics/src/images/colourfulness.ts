/**
 * How colourful a picture is: 0 is grey, about 35 a lively photograph. Source: Hasler & Süsstrunk 2003.
 * @param rgb bytes `[n, 3]`
 */
export function colourfulness(rgb: Uint8Array): number {
  const n = rgb.length / 3;
  let [sr, sy, srr, syy] = [0, 0, 0, 0];
  for (let i = 0; i < rgb.length; i += 3) {
    const [r, g, b] = [rgb[i]!, rgb[i + 1]!, rgb[i + 2]!];
    const redGreen = r - g;
    const yellowBlue = (r + g) / 2 - b;
    sr += redGreen;
    sy += yellowBlue;
    srr += redGreen ** 2;
    syy += yellowBlue ** 2;
  }
  const [mr, my] = [sr / n, sy / n];
  const deviation = Math.sqrt(Math.max(0, srr / n - mr * mr + (syy / n - my * my)));
  return deviation + 0.3 * Math.hypot(mr, my);
}
