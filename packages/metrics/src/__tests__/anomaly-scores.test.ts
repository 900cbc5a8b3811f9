import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  auroc,
  averagePrecision,
  benjaminiHochberg,
  conformalPValue,
  falseAlarmInterval,
  fitHistogram,
  fitIsolationForest,
  fitParetoTail,
  histogramSurprise,
  isolationScore,
  localDensity,
  localOutlierFactor,
  nearestNeighbours,
  neighbourIndex,
  paretoTailProbability,
  paretoTailQuantile,
  precisionAt,
  type NumberMatrix,
} from '../index.ts';

interface Answers {
  base: number[][];
  queries: number[][];
  labels: number[];
  indices: number[][];
  distances: number[][];
  lof: number[];
  scores: number[];
  auroc: number;
  averagePrecision: number;
}
const scikit = JSON.parse(
  readFileSync(new URL('../../fixtures/wdbc-anomaly-scikit.json', import.meta.url), 'utf8'),
) as Answers;
const matrix = (rows: number[][]): NumberMatrix => ({
  rows: rows.length,
  cols: rows[0]!.length,
  data: Float64Array.from(rows.flat()),
});
const base = matrix(scikit.base);
const queries = matrix(scikit.queries);
/** Small reproducible numbers in [0, 1). */
const uniform = (seed: number) => () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;

describe('neighbourIndex', () => {
  it('finds scikit-learn’s neighbours', () => {
    const { indices, squared } = neighbourIndex(base).query(queries, 5);
    expect([...indices]).toEqual(scikit.indices.flat());
    scikit.distances.flat().forEach((distance, i) => expect(Math.sqrt(squared[i]!)).toBeCloseTo(distance, 10));
  });

  it('finds what comparing all pairs finds, with ties, equal rows and itself left out', () => {
    const random = uniform(3);
    for (const cols of [1, 3, 9]) {
      const made = matrix(
        Array.from({ length: 500 }, () => Array.from({ length: cols }, () => Math.floor(random() * 6))),
      );
      for (const self of [false, true]) {
        const tree = neighbourIndex(made).query(made, 4, self);
        const pairs = nearestNeighbours(made, made, 4, { self });
        expect(tree.squared).toEqual(pairs.squared);
        expect(tree.indices).toEqual(pairs.indices);
      }
    }
  });

  it('does so for columns with long tails and columns that are constant', () => {
    const random = uniform(5);
    const made = matrix(Array.from({ length: 300 }, () => [0.1, Math.exp(12 * random()), random(), 0.7]));
    const tree = neighbourIndex(made).query(made, 3);
    expect(tree).toEqual(nearestNeighbours(made, made, 3));
    const equal = matrix(Array.from({ length: 40 }, () => [0.1, 0.7]));
    expect([...neighbourIndex(equal).query(matrix([[0.1, 0.7]]), 2).indices]).toEqual([0, 1]);
  });

  it('says how many neighbours there can be', () => {
    expect(() => neighbourIndex(base).query(base, 80, true)).toThrow(/80 neighbours asked among 79 rows/);
  });
});

describe('localOutlierFactor', () => {
  it('equals scikit-learn’s', () => {
    const index = neighbourIndex(base);
    const factors = localOutlierFactor(localDensity(index, base, 10), index.query(queries, 10));
    scikit.lof.forEach((factor, i) => expect(factors[i]).toBeCloseTo(factor, 6));
  });
});

describe('rankings', () => {
  it('equal scikit-learn’s, ties included', () => {
    expect(auroc(scikit.labels, scikit.scores)).toBeCloseTo(scikit.auroc, 12);
    expect(averagePrecision(scikit.labels, scikit.scores)).toBeCloseTo(scikit.averagePrecision, 12);
  });

  it('are 1 for a perfect order, and NaN where there is nothing to rank', () => {
    expect(auroc([0, 0, 1], [1, 2, 3])).toBe(1);
    expect(precisionAt([0, 1, 1], [3, 2, 1], 2)).toBe(0.5);
    expect(auroc([1, 1], [1, 2])).toBeNaN();
    expect(averagePrecision([0, 0], [1, 2])).toBeNaN();
  });
});

describe('conformal p-values', () => {
  it('count calibration scores at least as high, and are never 0', () => {
    expect(conformalPValue([1, 2, 2, 3], 2)).toBe(4 / 5);
    expect(conformalPValue([1, 2, 2, 3], 9)).toBe(1 / 5);
    expect(conformalPValue([1, 2, 2, 3], 0)).toBe(1);
  });

  it('keep the rate of false alarms, mean over 200 draws', () => {
    const random = uniform(11);
    const [n, m, alpha] = [200, 200, 0.1];
    let rate = 0;
    for (let draw = 0; draw < 200; draw++) {
      const calibration = Float64Array.from({ length: n }, random).sort();
      for (let i = 0; i < m; i++) if (conformalPValue(calibration, random()) <= alpha) rate += 1 / (200 * m);
    }
    // ⌊α (n + 1)⌋ / (n + 1) exactly, for exchangeable rows.
    expect(rate).toBeCloseTo(20 / 201, 1);
    const { low, high } = falseAlarmInterval(alpha, n, m);
    expect(rate).toBeGreaterThan(low);
    expect(rate).toBeLessThan(high);
    expect(high - low).toBeLessThan(0.13);
  });
});

describe('benjaminiHochberg', () => {
  it('gives the textbook cut, and 0 where nothing is small enough', () => {
    // Benjamini & Hochberg 1995, table of 15 p-values at 5 %: four are rejected, up to 0.0095.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    expect(benjaminiHochberg(p, 0.05)).toBe(0.0095);
    expect(benjaminiHochberg([0.5, 0.9], 0.05)).toBe(0);
  });
});

describe('fitParetoTail', () => {
  it('finds the tail of an exponential and of a heavy-tailed sample', () => {
    const random = uniform(5);
    const exponential = Float64Array.from({ length: 20_000 }, () => -Math.log(1 - random()));
    const light = fitParetoTail(exponential);
    expect(paretoTailProbability(light, 7)).toBeGreaterThan(0.5 * Math.exp(-7));
    expect(paretoTailProbability(light, 7)).toBeLessThan(2 * Math.exp(-7));
    const pareto = Float64Array.from({ length: 20_000 }, () => (1 - random()) ** -0.5);
    const heavy = fitParetoTail(pareto);
    expect(heavy.shape).toBeCloseTo(0.5, 0);
    expect(paretoTailProbability(heavy, paretoTailQuantile(heavy, 0.001))).toBeCloseTo(0.001, 9);
    expect(paretoTailQuantile(heavy, 0.001)).toBeGreaterThan(20);
    expect(paretoTailQuantile(heavy, 0.001)).toBeLessThan(50);
  });
});

describe('simple detectors', () => {
  it('a histogram is surprised by rare and by impossible values', () => {
    const histogram = fitHistogram([...new Array<number>(98).fill(0), 1, 10], 10);
    expect(histogramSurprise(histogram, 0)).toBeLessThan(0);
    expect(histogramSurprise(histogram, 10)).toBeGreaterThan(2);
    expect(histogramSurprise(histogram, 11)).toBeCloseTo(-Math.log(0.1), 12);
    expect(histogramSurprise(fitHistogram([3, 3], 10), 4)).toBeCloseTo(-Math.log(0.1), 12);
  });

  it('an isolation forest parts a far row in fewer cuts', () => {
    const random = uniform(9);
    const rows = Array.from({ length: 200 }, () => [random(), random()]);
    const forest = fitIsolationForest(matrix(rows), random);
    const [near, far] = isolationScore(
      forest,
      matrix([
        [0.5, 0.5],
        [4, 4],
      ]),
    );
    expect(near).toBeLessThan(0.5);
    expect(far).toBeGreaterThan(0.65);
  });
});
