/** Side of a bin of a* and b*. */
const SIDE = 10;
const FROM = -120;
const ACROSS = 24;

/** The colours a vivid model chooses among: middles of bins of a* b* that the training pictures use. */
export interface ColourBins {
  /** a*, b* of each bin, `[q, 2]` flat. */
  centers: number[];
  /** What a pixel of each bin counts, `[q]`: rare colours more. */
  weights: number[];
}

/** Share of the weights that is even over all bins. Source: Zhang, Isola, Efros 2016 (λ = 1/2). */
const EVEN = 0.5;

/** Bins and weights from the colours of pixels. @param ab `[n, 2]` flat */
export function fitColourBins(ab: Float32Array): ColourBins {
  const counts = new Map<number, number>();
  for (let i = 0; i < ab.length; i += 2) {
    const bin = cellOf(ab[i]!, ab[i + 1]!);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const used = [...counts.keys()].sort((a, b) => a - b);
  const pixels = ab.length / 2;
  const shares = used.map((bin) => counts.get(bin)! / pixels);
  const raw = shares.map((share) => 1 / ((1 - EVEN) * share + EVEN / used.length));
  // On average over the pixels a weight is 1.
  const mean = raw.reduce((sum, weight, i) => sum + weight * shares[i]!, 0);
  return {
    centers: used.flatMap((bin) => [
      FROM + SIDE * (Math.floor(bin / ACROSS) + 0.5),
      FROM + SIDE * ((bin % ACROSS) + 0.5),
    ]),
    weights: raw.map((weight) => weight / mean),
  };
}

const cellOf = (a: number, b: number): number => ACROSS * step(a) + step(b);
const step = (value: number): number => Math.min(ACROSS - 1, Math.max(0, Math.floor((value - FROM) / SIDE)));

/** The bin of each pixel, the nearest one where its own was never used. @param ab `[n, 2]` flat */
export function binsOf(ab: Float32Array, { centers }: ColourBins): Int32Array {
  const nearest = new Map<number, number>();
  return Int32Array.from({ length: ab.length / 2 }, (_, i) => {
    const cell = cellOf(ab[2 * i]!, ab[2 * i + 1]!);
    let bin = nearest.get(cell);
    if (bin === undefined) {
      const [a, b] = [FROM + SIDE * (Math.floor(cell / ACROSS) + 0.5), FROM + SIDE * ((cell % ACROSS) + 0.5)];
      bin = 0;
      for (let k = 1; k < centers.length / 2; k++)
        if (distance(centers, k, a, b) < distance(centers, bin, a, b)) bin = k;
      nearest.set(cell, bin);
    }
    return bin;
  });
}

const distance = (centers: number[], k: number, a: number, b: number): number =>
  (centers[2 * k]! - a) ** 2 + (centers[2 * k + 1]! - b) ** 2;
