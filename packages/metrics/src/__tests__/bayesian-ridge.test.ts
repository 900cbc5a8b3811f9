import { expect, it } from 'vitest';
import { bayesianRidge } from '../index.ts';
import { distance, scikit, truth } from './scikit.ts';

it('gives the coefficients of scikit-learn 1.9.1 BayesianRidge', () => {
  const n = truth[0]!.length;
  const mean = (column: Float64Array): number => column.reduce((sum, value) => sum + value, 0) / n;
  const centred = truth.map((column) => column.map((value) => value - mean(column)));
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const [y, ...x] = centred as [Float64Array, ...Float64Array[]];
  const model = bayesianRidge({
    n,
    meanX: Float64Array.from(truth.slice(1), mean),
    meanY: mean(truth[0]!),
    gram: Float64Array.from(x.flatMap((a) => x.map((b) => dot(a, b)))),
    xty: Float64Array.from(x, (column) => dot(column, y)),
    yty: dot(y, y),
  });
  expect(distance(model.coefficients, scikit.ridge.coefficients)).toBeLessThan(1e-7);
  expect(model.intercept).toBeCloseTo(scikit.ridge.intercept, 7);
});
