import { hostRandom, resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeTable } from '../columns/encode.ts';
import { predictor } from '../model/predictor.ts';
import { knotFacts, knotLoss, knotMean, knotsOf, numberKnots, type Knots } from '../network/knots.ts';
import { columnBounds, pieceBounds } from '../network/pieces.ts';
import { checkGradient } from './support/check-gradient.ts';
import { encodedColumns } from './support/encoded-columns.ts';
import { filling, learn, lessonOf, modelOf } from './support/learning.ts';
import { numbers, sourceOf } from './support/workbench.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
});

function knotsFor(columns: number[][], pieces: number): Knots {
  const bounds = columnBounds(encodedColumns(columns), columns.length, columns.length, pieces, knotFacts);
  const arrays = { ...pieceBounds(bounds, pieces), ...numberKnots(bounds, pieces) };
  return knotsOf(
    Object.fromEntries(Object.entries(arrays).map(([name, { values, shape }]) => [name, tf.tensor(values, shape)])),
  )!;
}

describe('numbers answered as distributions', () => {
  const column = [0, 0, 0, 0, 1, 1, 4, 4];

  it('begin at the marginal: its mean, at the cost of the variance', () => {
    const long = Array.from({ length: 100 }, () => column).flat();
    const knots = knotsFor([long], 3);
    const silent = tf.zeros([1, 4]);
    expect(knotMean(silent, knots).arraySync()).toEqual([[expect.closeTo(1.25, 1)]]);
    const costs = column.map((x) => knotLoss(silent, tf.tensor2d([[x]]), knots).dataSync()[0]!);
    const variance = column.reduce((sum, x) => sum + (x - 1.25) ** 2 / column.length, 0);
    expect(costs.reduce((sum, cost) => sum + cost / column.length, 0)).toBeCloseTo(variance, 1);
  });

  it('never give a share to a knot a column does not have', () => {
    const knots = knotsFor([column, [7, 7, 7, 7, 7, 7, 7, 9]], 3);
    const pushed = tf.tensor2d([[0, 0, 0, 50, 0, 0, 50, 50]]);
    expect(knotMean(pushed, knots).arraySync()).toEqual([[expect.closeTo(1.3, 1), expect.closeTo(7.3, 1)]]);
  });

  it('put pieces where values are, not where most rows are', () => {
    const heavy = [...Array.from({ length: 900 }, () => 0), ...Array.from({ length: 100 }, (_, k) => k + 1)];
    expect(knotsFor([heavy], 4).values.arraySync()).toEqual([[0, 25, 50, 75, 100]]);
  });

  it('have the gradient that differences of the loss show', () => {
    const knots = knotsFor([column, [1, 2, 3, 4, 5, 6, 7, 8]], 3);
    checkGradient(
      (output) =>
        knotLoss(
          output,
          tf.tensor2d([
            [0.5, 3],
            [4, 9],
          ]),
          knots,
        ),
      [2, 8],
    );
  });

  it('are refused without pieces to stand on', async () => {
    const source = sourceOf({ x: numbers([1, 2, 3, 4]), y: numbers([1, 2, 3, 4]) });
    await expect(lessonOf(source, { answers: 'distribution' })).rejects.toThrow(
      /answers: distribution stands on the bounds of pieces, found pieces: 0; set pieces/,
    );
  });

  it('learn the mean of two values that one row may have, and say it in the table’s units', async () => {
    const random = hostRandom(4);
    const x = Array.from({ length: 600 }, () => Math.floor(3 * random.uniform()));
    // Given x, y is 0 or 10·x, the latter in three of four rows.
    const y = x.map((value) => (random.uniform() < 0.75 ? 10 * value : 0));
    const source = sourceOf({ x: numbers(x), y: numbers(y) });
    const engine = await resolveEngine('onnxruntime');
    const lesson = await lessonOf(
      source,
      {
        answers: 'distribution',
        pieces: 4,
        normalisation: 'standard',
        width: 32,
        latentDim: 8,
        epochs: 60,
        batchSize: 64,
      },
      filling,
    );
    const { trained } = await learn(engine, lesson);
    const answer = predictor(engine, modelOf(lesson, [trained.params]));
    const asked = { rows: 3, columns: { x: numbers([0, 1, 2]), y: numbers([NaN, NaN, NaN]) } };
    const { values } = await answer.reconstruct(encodeTable(lesson.encoder, asked));
    answer.dispose();
    const { map } = lesson.encoder.columns[1] as { map: { center: number; scale: number } };
    const said = [1, 3, 5].map((i) => values[i]! * map.scale + map.center);
    [0, 7.5, 15].forEach((mean, i) => expect(Math.abs(said[i]! - mean)).toBeLessThan(1.5));
  });
});
