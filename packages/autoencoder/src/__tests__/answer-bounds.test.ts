import { resolveEngine, type StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import { predictor } from '../model/predictor.ts';
import { withinBounds } from '../network/answer-bounds.ts';
import { checkGradient } from './support/check-gradient.ts';
import { identity, learn, lessonOf, lowRank, modelOf } from './support/learning.ts';
import { numbers } from './support/workbench.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
});

describe('answers within the range of training', () => {
  const params = () => ({ 'skip/low': tf.tensor1d([-1, -0.2, 0]), 'skip/high': tf.tensor1d([1, 0.25, 0]) });
  const at = (training: boolean): StepContext => ({ training }) as StepContext;

  it('leave a tenth of what is beyond while learning, with the gradient that differences show', () => {
    checkGradient((y) => withinBounds(y, params(), at(true)), [4, 3]);
    const y = withinBounds(tf.tensor2d([[3, -0.7, 1, 9]]), params(), at(true)).dataSync();
    [1 + 0.2, -0.2 - 0.05, 0.1, 9].forEach((value, j) => expect(y[j]).toBeCloseTo(value, 6));
  });

  it('end at the bound when learned, columns behind the numbers untouched', () => {
    const y = withinBounds(tf.tensor2d([[3, -0.7, 1, 9]]), params(), at(false)).dataSync();
    [1, -0.2, 0, 9].forEach((value, j) => expect(y[j]).toBeCloseTo(value, 6));
  });

  it('hold for rows far from all that were learned from, where they would not without', async () => {
    const source = lowRank(120, 5, 2);
    const engine = await resolveEngine('onnxruntime');
    const far = await source.table(['c0']);
    const range = Object.fromEntries(
      Object.entries(far.columns).map(([name, data]) => {
        const { values } = data as { values: Float64Array };
        return [name, [Math.min(...values), Math.max(...values)] as const];
      }),
    );
    for (const name of Object.keys(far.columns))
      far.columns[name] = numbers(Array.from((far.columns[name] as { values: Float64Array }).values, (v) => 20 * v));
    const beyond = async (bounded: boolean): Promise<number> => {
      const lesson = await lessonOf(
        source,
        { epochs: 2, skip: 'none', architecture: 'mlp' },
        { ...identity, network: (spec) => ({ ...spec, base: 'pca', bounded }) },
      );
      const { trained } = await learn(engine, lesson);
      const answer = predictor(engine, modelOf(lesson, [trained.params]));
      const decoded = decodeTable(lesson.encoder, await answer.reconstruct(encodeTable(lesson.encoder, far)), {
        as: 'exact',
      });
      answer.dispose();
      return Object.entries(decoded.columns).reduce((most, [name, data]) => {
        const [low, high] = range[name]!;
        const slack = 1e-3 * (high - low);
        return Math.max(
          most,
          ...Array.from((data as { values: Float64Array }).values, (v) => Math.max(low - slack - v, v - high - slack)),
        );
      }, -Infinity);
    };
    expect(await beyond(true)).toBeLessThanOrEqual(0);
    expect(await beyond(false)).toBeGreaterThan(1);
  });
});
