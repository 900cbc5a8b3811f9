import { expect, it } from 'vitest';
import { fitLogistic, logisticProbabilities, mostProbable } from '../logistic-regression.ts';

/** Three overlapping clouds on a plane, without a random number. */
const rows = Array.from({ length: 90 }, (_, i) => [
  (i % 3) * 1.2 + Math.sin(i * 12.9898),
  (i % 3 === 1 ? 1.5 : 0) + Math.cos(i * 78.233),
]);
const x = { rows: 90, cols: 2, data: rows.flat() };
const labels = rows.map((_, i) => i % 3);

it('equals scikit-learn 1.9.1, C = 0.5', () => {
  const model = fitLogistic(x, labels, 3, { c: 0.5, iterations: 500, tolerance: 1e-9 });
  const probabilities = logisticProbabilities(model, x);
  [0.5801862, 0.402487, 0.0173268, 0.1334664, 0.3989915, 0.4675422].forEach((value, k) =>
    expect(probabilities[k]).toBeCloseTo(value, 5),
  );
  const right = mostProbable(probabilities, 3).filter((label, i) => label === labels[i]).length / 90;
  expect(right).toBeCloseTo(0.84444444, 6);
  for (let i = 0; i < 90; i++)
    expect(probabilities[3 * i]! + probabilities[3 * i + 1]! + probabilities[3 * i + 2]!).toBeCloseTo(1, 12);
});

it('says that one class is not enough', () => {
  expect(() => fitLogistic(x, labels, 1)).toThrow(/at least two classes/);
});
