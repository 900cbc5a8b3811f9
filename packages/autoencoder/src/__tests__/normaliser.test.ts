import { hostRandom } from '@hourglass/engine';
import { openDataset } from '@hourglass/dataset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normalQuantile } from '@hourglass/metrics';
import { denormalise, fitNormaliser, moments, normalise, NORMALISATIONS } from '../columns/normaliser.ts';
import { temporaryStore, wdbc } from './support/workbench.ts';

describe('normalQuantile', () => {
  it('agrees with published quantiles of the normal distribution', () => {
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167814, 13);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 12);
    expect(normalQuantile(1e-300)).toBeCloseTo(-37.0471, 3);
  });
});

describe('normalisers on wdbc', () => {
  let columns: [string, Float64Array][];
  let store: Awaited<ReturnType<typeof temporaryStore>>;
  beforeAll(async () => {
    store = await temporaryStore();
    const table = await (await openDataset(store.artifacts, await wdbc(store.artifacts))).table();
    columns = Object.entries(table.columns).flatMap(([name, data]) =>
      data.kind === 'numeric' ? [[name, data.values] as [string, Float64Array]] : [],
    );
  });
  afterAll(() => store.remove());

  it.each(NORMALISATIONS)('%s brings every value back', (kind) => {
    expect(columns).toHaveLength(30);
    for (const [, values] of columns) {
      const map = fitNormaliser(values.toSorted(), kind);
      for (const value of values) expect(denormalise(map, normalise(map, value))).toBeCloseTo(value, 9);
    }
  });

  it('rank-gauss gives mean 0, variance 1 and no outlier, however skewed the column', () => {
    for (const [, values] of columns) {
      const map = fitNormaliser(values.toSorted(), 'rank-gauss');
      const z = values.map((value) => normalise(map, value));
      const { mean, deviation } = moments(z);
      expect(mean).toBeCloseTo(0, 6);
      expect(deviation).toBeCloseTo(1, 6);
      expect(Math.max(...z.map(Math.abs))).toBeLessThan(4);
    }
  });

  it('standard gives mean 0 and variance 1, min-max the unit interval, robust the median at 0', () => {
    for (const [, values] of columns) {
      const sorted = values.toSorted();
      const of = (kind: 'standard' | 'min-max' | 'robust') => {
        const map = fitNormaliser(sorted, kind);
        return values.map((value) => normalise(map, value));
      };
      expect(moments(of('standard')).deviation).toBeCloseTo(1, 9);
      const unit = of('min-max');
      expect([Math.min(...unit), Math.max(...unit)]).toEqual([0, 1]);
      expect(of('robust').toSorted()[284]).toBeCloseTo(0, 9);
    }
  });
});

describe('rank-gauss', () => {
  it('rises with the value and continues beyond the observed range', () => {
    const map = fitNormaliser(Float64Array.of(1, 2, 4, 8, 16), 'rank-gauss');
    const z = [-100, 1, 1.5, 2, 3, 8, 16, 1000].map((value) => normalise(map, value));
    expect(z).toEqual(z.toSorted((a, b) => a - b));
    expect(new Set(z).size).toBe(8);
    expect(denormalise(map, normalise(map, 1000))).toBeCloseTo(1000, 6);
  });

  it('keeps at most 1000 knots of a long column and still inverts to a ten-thousandth of its range', () => {
    const random = hostRandom(3);
    const values = Float64Array.from({ length: 20_000 }, () => Math.exp(random.normal())).sort();
    const map = fitNormaliser(values, 'rank-gauss');
    if (map.kind !== 'knots') throw new Error('expected knots');
    expect(map.x.length).toBeLessThanOrEqual(1000);
    const range = values.at(-1)! - values[0]!;
    for (const value of values)
      expect(Math.abs(denormalise(map, normalise(map, value)) - value) / range).toBeLessThan(1e-4);
  });

  it('gives tied values one place in the middle of their ranks', () => {
    const map = fitNormaliser(Float64Array.of(0, 0, 0, 0, 1, 2), 'rank-gauss');
    expect(normalise(map, 0)).toBeLessThan(0);
    expect(denormalise(map, normalise(map, 0))).toBe(0);
    expect(denormalise(map, (normalise(map, 0) + normalise(map, 1)) / 2)).toBeCloseTo(0.5, 12);
  });

  it('tells timestamps a second apart from one another', () => {
    const start = 1_700_000_100_000;
    const map = fitNormaliser(
      Float64Array.from({ length: 500 }, (_, k) => start + 1000 * k),
      'rank-gauss',
    );
    expect(denormalise(map, Math.fround(normalise(map, start + 250_000)))).toBeCloseTo(start + 250_000, -2);
  });
});

it('a constant column becomes 0 and comes back, whatever the normalisation', () => {
  for (const kind of NORMALISATIONS) {
    const map = fitNormaliser(Float64Array.of(7, 7, 7), kind);
    expect(normalise(map, 7)).toBe(0);
    expect(denormalise(map, 0)).toBe(7);
  }
});
