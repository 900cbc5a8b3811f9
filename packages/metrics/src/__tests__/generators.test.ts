import { describe, expect, it } from 'vitest';
import { closestDistances, fitRecordSpace, nearerShare, placeRecords, wilsonInterval } from '../closest-record.ts';
import { columnShape, correlation, tableSimilarity, type ComparedColumn } from '../column-similarity.ts';
import { fitGaussianCopula, independentColumns, sampleCopula } from '../gaussian-copula.ts';
import { fitGaussianMixture, mixtureLogDensity, sampleMixture } from '../gaussian-mixture.ts';
import { normalProbability, normalQuantile } from '../normal.ts';
import { fitRandomForest, forestProbabilities } from '../random-forest.ts';

/** A small generator with a known state: tests depend on nothing else. */
function randomOf(seed: number): { uniform(): number; normal(): number } {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  return { uniform, normal: () => normalQuantile(Math.max(uniform(), 1e-12)) };
}
type Numbers = Extract<ComparedColumn, { kind: 'numeric' }>;

describe('the normal distribution', () => {
  it('and its quantiles undo each other', () => {
    expect(normalProbability(0)).toBeCloseTo(0.5, 12);
    expect(normalProbability(-1.959963984540054)).toBeCloseTo(0.025, 12);
    for (const p of [1e-12, 1e-5, 0.3, 0.99999]) expect(normalProbability(normalQuantile(p)) / p).toBeCloseTo(1, 7);
  });
});

describe('a Gaussian mixture', () => {
  const random = randomOf(1);
  const truth = (i: number): [number, number] => {
    const [a, b] = [random.normal(), random.normal()];
    return i % 3 === 0 ? [-4 + a, 2 + 0.9 * a + 0.3 * b] : [3 + 0.5 * a, -1 + b];
  };
  const x = { rows: 3000, cols: 2, data: Float64Array.from(Array.from({ length: 3000 }, (_, i) => truth(i)).flat()) };

  it('finds weights, means and the covariance within a component', () => {
    const { weights, means, factors } = fitGaussianMixture(x, randomOf(2).uniform, { components: 2 });
    const left = means[0]! < means[2]! ? 0 : 1;
    expect(weights[left]).toBeCloseTo(1 / 3, 1);
    expect(means[2 * left]).toBeCloseTo(-4, 0);
    expect(means[2 * left + 1]).toBeCloseTo(2, 0);
    // Covariance of the left component: factor · factorᵀ; the truth has 0.9 off the diagonal.
    expect(factors[4 * left]! * factors[4 * left + 2]!).toBeCloseTo(0.9, 1);
  });

  it('is denser where the rows are, and draws rows like them', () => {
    const one = fitGaussianMixture(x, randomOf(2).uniform, { components: 1 });
    const two = fitGaussianMixture(x, randomOf(2).uniform, { components: 2 });
    const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(mixtureLogDensity(two, x))).toBeGreaterThan(mean(mixtureLogDensity(one, x)) + 0.5);
    const drawn = sampleMixture(two, 3000, randomOf(3));
    const column = (data: Float64Array): Numbers => ({ kind: 'numeric', values: data.filter((_, i) => i % 2 === 0) });
    expect(columnShape(column(x.data), column(drawn))).toBeGreaterThan(0.95);
  });

  it('asks for as many rows as components', () => {
    expect(() => fitGaussianMixture(x, randomOf(1).uniform, { components: 4000 })).toThrow(
      /4000 components asked of 3000/,
    );
  });
});

describe('a Gaussian copula', () => {
  const random = randomOf(5);
  const n = 2000;
  const a = Float64Array.from({ length: n }, () => Math.exp(random.normal()));
  const columns: Record<string, ComparedColumn> = {
    a: { kind: 'numeric', values: a },
    b: {
      kind: 'numeric',
      values: a.map((value) => (random.uniform() < 0.1 ? NaN : Math.round(2 * value + random.uniform()))),
    },
    c: { kind: 'category', codes: Int32Array.from(a, (value) => (value > 1 ? 0 : -1)), categories: ['large'] },
  };

  it('keeps every column’s distribution, missing cells too, and how columns hang together', () => {
    const copula = fitGaussianCopula(columns, randomOf(6).uniform);
    const drawn = sampleCopula(copula, n, randomOf(7).normal);
    expect(tableSimilarity(columns, drawn).shapes).toBeGreaterThan(0.96);
    const missing = (column: ComparedColumn): number => (column as Numbers).values.filter(Number.isNaN).length / n;
    expect(missing(drawn.b!)).toBeCloseTo(missing(columns.b!), 1);
    expect(correlation([drawn.a, drawn.b] as [Numbers, Numbers])).toBeGreaterThan(0.5);
  });

  it('without ties keeps the columns only', () => {
    const drawn = sampleCopula(
      independentColumns(fitGaussianCopula(columns, randomOf(6).uniform)),
      n,
      randomOf(7).normal,
    );
    expect(columnShape(columns.a!, drawn.a!)).toBeGreaterThan(0.95);
    expect(Math.abs(correlation([drawn.a, drawn.b] as [Numbers, Numbers]))).toBeLessThan(0.1);
  });
});

describe('a random forest', () => {
  const random = randomOf(8);
  const data = Float64Array.from({ length: 1200 }, () => random.normal());
  // Neither column alone tells the class: a line cannot.
  const labels = Int32Array.from({ length: 400 }, (_, i) => (data[3 * i]! * data[3 * i + 1]! > 0 ? 1 : 0));

  it('learns what no line parts, for rows not seen', () => {
    const part = (from: number, to: number) => ({ rows: to - from, cols: 3, data: data.subarray(3 * from, 3 * to) });
    const forest = fitRandomForest(part(0, 300), labels.subarray(0, 300), 2, randomOf(9).uniform, { trees: 30 });
    const p = forestProbabilities(forest, part(300, 400));
    const right = Array.from({ length: 100 }, (_, i) => (p[2 * i + 1]! > 0.5 ? 1 : 0) === labels[300 + i]).filter(
      Boolean,
    );
    expect(right.length).toBeGreaterThan(85);
    for (let i = 0; i < 100; i++) expect(p[2 * i]! + p[2 * i + 1]!).toBeCloseTo(1, 9);
  });

  it('gives the shares of the classes where nothing can be told', () => {
    const flat = { rows: 4, cols: 1, data: new Float64Array(4) };
    const forest = fitRandomForest(flat, [0, 0, 0, 1], 2, randomOf(1).uniform, { trees: 400 });
    expect(forestProbabilities(forest, flat)[1]).toBeCloseTo(0.25, 1);
  });
});

describe('closest records', () => {
  const records = (values: number[], names: (string | null)[]): Record<string, ComparedColumn> => ({
    x: { kind: 'numeric', values: Float64Array.from(values) },
    c: { kind: 'category', codes: Int32Array.from(names, (name) => ['a', 'b'].indexOf(name!)), categories: ['a', 'b'] },
  });

  it('are found by numbers over their range and categories by name', () => {
    const base = records([0, 10, NaN], ['a', 'b', 'b']);
    const space = fitRecordSpace(base);
    const queries = records([1, 10, NaN], ['a', 'a', null]);
    const place = (rows: Record<string, ComparedColumn>) => placeRecords(space, rows, [0, 1, 2]);
    expect([...closestDistances(space, place(base), place(queries))]).toEqual([0.05, 0.5, 0.5]);
  });

  it('are as often of one set as of another when the sets are alike', () => {
    expect(nearerShare(Float64Array.of(1, 2, 2, 4), Float64Array.of(2, 1, 2, 5)).share).toBe(2.5 / 4);
    const { low, high } = wilsonInterval(50, 100);
    expect([low, high].map((value) => Number(value.toFixed(4)))).toEqual([0.4038, 0.5962]);
  });
});
