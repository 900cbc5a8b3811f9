import { hostRandom } from '@hourglass/engine';
import { describe, expect, it } from 'vitest';
import { chooseWeights } from '../detector/weights.ts';

const ROWS = 400;
/** Surprise of rows that a score puts `moved` deviations above normal ones. */
const scores = (stream: number, moved: number): Float64Array => {
  const random = hostRandom(5, stream);
  return Float64Array.from({ length: ROWS }, () => random.normal() + moved);
};
/** Two scores of normal rows and of each kind of spoiled ones, by how far `good` moves; `blind` never does. */
const choose = (swap: number, shift: number) =>
  chooseWeights(
    { good: scores(1, 0), blind: scores(2, 0) },
    {
      swap: { good: scores(3, swap), blind: scores(4, 0) },
      shift: { good: scores(5, shift), blind: scores(6, 0) },
      between: { good: scores(7, shift), blind: scores(8, 0) },
    },
  );

describe('weights chosen without labels', () => {
  it('go to the score that tells swapped rows', () => {
    const { weights, auroc } = choose(3, 1);
    expect(weights.good).toBeGreaterThan(0.85);
    expect(weights.good + weights.blind).toBeCloseTo(1, 2);
    expect(auroc).toBeGreaterThan(0.8);
  });

  it('are near equal where no score tells swapped rows, whatever the other kinds say', () => {
    const { weights } = choose(0, 2);
    expect(weights.good).toBeGreaterThan(0.45);
    expect(weights.good).toBeLessThan(0.6);
  });
});
