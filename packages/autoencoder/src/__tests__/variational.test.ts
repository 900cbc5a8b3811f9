import type { DatasetReader, Table } from '@hourglass/dataset';
import { drawNormal, hostRandom, resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { encodeTable } from '../columns/encode.ts';
import { train } from '../training/train.ts';
import { betaSchedule } from '../variational/beta.ts';
import { rowBounds, type LatentDensity } from '../variational/bound.ts';
import { tableFromHeads } from '../variational/cells.ts';
import { generatorPasses } from '../variational/generator.ts';
import { prepareVariational, trainVariational, type VariationalOptions } from '../variational/learn.ts';
import { groupHeads } from '../variational/heads.ts';
import { reconstructionLoss } from '../variational/loss.ts';
import { decodeMode, encodeMode, fitModes } from '../variational/modes.ts';
import { modelOf } from './support/learning.ts';

const sorted = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();
const OPTIONS = { modes: 8 };

describe('modes of a number', () => {
  it('are its values where they are few', () => {
    const modes = fitModes(sorted(Array.from({ length: 300 }, (_, i) => i % 6)), OPTIONS);
    expect(modes.modes.map(({ low, high, map }) => [low, high, map])).toEqual(
      [0, 1, 2, 3, 4, 5].map((value) => [value, value, undefined]),
    );
    expect(encodeMode(modes, 4)).toEqual({ mode: 4, score: 0 });
    expect(decodeMode(modes, 4, 3)).toBe(4);
  });

  it('hold a frequent value apart from the interval around it', () => {
    const noise = drawNormal({ seed: 1, domain: 'host', step: 0, call: 0 }, 900);
    const modes = fitModes(sorted([...noise, ...new Float64Array(100)]), OPTIONS);
    expect(modes.modes[0]).toEqual({ low: 0, high: 0 });
    expect(encodeMode(modes, 0)).toEqual({ mode: 0, score: 0 });
    expect(encodeMode(modes, 0.01).mode).toBeGreaterThan(0);
  });

  it('part hills, cover every value, and give each back', () => {
    const noise = drawNormal({ seed: 2, domain: 'host', step: 0, call: 0 }, 1000);
    const values = sorted(Array.from(noise, (value, i) => (i % 2 ? value : 50 + value)));
    const modes = fitModes(values, OPTIONS);
    // No interval reaches from one hill to the other.
    for (const { low, high } of modes.modes) expect(low > 25 || high < 25).toBe(true);
    for (const value of values) {
      const { mode, score } = encodeMode(modes, value);
      expect(decodeMode(modes, mode, score)).toBeCloseTo(value, 6);
    }
  });

  it('draw a heavy tail within what was seen, as it was distributed, with its digits', () => {
    const noise = drawNormal({ seed: 3, domain: 'host', step: 0, call: 0 }, 4000);
    const values = sorted(Array.from(noise, (value) => Math.round(100 * Math.exp(2.5 * value)) / 100));
    const modes = fitModes(values, OPTIONS);
    expect(modes.decimals).toBe(2);
    const random = hostRandom(4);
    const drawn = sorted(
      Array.from({ length: 4000 }, () => {
        const from = encodeMode(modes, values[Math.floor(random.uniform() * 4000)]!);
        return decodeMode(modes, from.mode, random.normal());
      }),
    );
    expect(drawn[0]).toBeGreaterThanOrEqual(values[0]!);
    expect(drawn.at(-1)).toBeLessThanOrEqual(values.at(-1)!);
    expect(drawn.every((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6)).toBe(true);
    for (const p of [0.1, 0.5, 0.9, 0.99])
      expect(Math.abs(Math.log(drawn[Math.floor(p * 4000)]! / values[Math.floor(p * 4000)]!))).toBeLessThan(0.25);
  });
});

describe('heads', () => {
  it('of like width are computed together, those with scores first', () => {
    expect(
      groupHeads([{ classes: 2 }, { classes: 9, scoredFrom: 1 }, { classes: 2 }, { classes: 1 }, { classes: 12 }]),
    ).toEqual([
      { width: 16, scored: true, columns: [1] },
      { width: 2, scored: false, columns: [0, 2, 3] },
      { width: 16, scored: false, columns: [4] },
    ]);
  });

  it('cost the negative log of each cell’s distribution', () => {
    const group = { width: 2, scored: true, columns: [0, 1] };
    const loss = tf.tidy(() =>
      reconstructionLoss(
        [
          {
            group,
            logits: tf.tensor3d([
              [
                [Math.log(3), 0],
                [0, Math.log(4)],
              ],
            ]),
            mean: tf.tensor3d([
              [
                [0.5, 9],
                [9, 9],
              ],
            ]),
            logSigma: tf.tensor2d([
              [Math.log(2), 0],
              [0, 0],
            ]),
          },
        ],
        { target: tf.tensor2d([[0, 0]], [1, 2], 'int32'), score: tf.tensor2d([[1.5, 7]]) },
        // The first column's first class is an interval, the second column has none.
        {
          'skip/scored/0': tf.tensor2d([
            [1, 0],
            [0, 0],
          ]),
        },
      ).dataSync(),
    );
    expect(loss[0]).toBeCloseTo(-Math.log(3 / 4) - Math.log(1 / 5) + 0.5 * ((1.5 - 0.5) / 2) ** 2 + Math.log(2), 5);
  });

  it('are pressed towards the truth: the slope of their logits is softmax − truth', () => {
    const slope = tf.tidy(() =>
      tf
        .grad((logits: tf.Tensor) =>
          reconstructionLoss(
            [{ group: { width: 2, scored: false, columns: [0] }, logits }],
            { target: tf.tensor2d([[1]], [1, 1], 'int32'), score: tf.tensor2d([[0]]) },
            {},
          ),
        )(tf.tensor3d([[[0, Math.log(3)]]]))
        .dataSync(),
    );
    expect([...slope].map((value) => Number(value.toFixed(5)))).toEqual([0.25, -0.25]);
  });
});

describe('lists of numbers', () => {
  const engine = resolveEngine('onnxruntime');
  // Four pixels: two that are on together in 70 % of the rows, one that is grey, one that is never on.
  const pixels = (rows: number, seed: number): Table => {
    const random = hostRandom(seed, 9);
    const values = Float32Array.from({ length: rows * 4 }, () => 0);
    for (let row = 0; row < rows; row++) {
      const on = random.uniform() < 0.7 ? 16 : 0;
      values.set([on, on, 4, 0], 4 * row);
    }
    return { rows, columns: {}, vectors: { pixels: { values, length: 4 } } };
  };
  const reader = (table: Table): DatasetReader =>
    ({
      rows: table.rows,
      columns: [{ name: 'pixels', type: 'vector', physical: 'UTINYINT[]', length: 4 }],
      table: async () => table,
    }) as unknown as DatasetReader;
  const learn = async (decoder: 'bernoulli' | 'gaussian', epochs: number, learningRate: number) => {
    const options: VariationalOptions = {
      exclude: [],
      categorical: [],
      maxCategories: 50,
      architecture: 'residual',
      decoder,
      modes: 4,
      latentDim: 2,
      width: 16,
      blocks: 1,
      dropout: 0,
      beta: 1,
      betaSchedule: 'constant',
      warmup: 0,
      freeBits: 0,
      swapRate: 0,
      validationFraction: 0,
      maxRows: 10_000,
      epochs,
      batchSize: 64,
      learningRate,
      schedule: 'constant',
      weightDecay: 0,
      clipNorm: 1,
      patience: 1000,
    };
    const lesson = await prepareVariational(reader(pixels(512, 1)), options, 5);
    const trained = await trainVariational(await engine, lesson, {});
    const model = modelOf(lesson, [trained.params]);
    return { lesson, model, passes: await generatorPasses(await engine, model) };
  };
  /** Log density of N(0, I). */
  const normalOf =
    (d: number): LatentDensity =>
    (z) =>
      Float64Array.from({ length: z.length / d }, (_, row) =>
        z.subarray(row * d, (row + 1) * d).reduce((sum, value) => sum - (value ** 2 + Math.log(2 * Math.PI)) / 2, 0),
      );
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value / values.length, 0);

  it('whose elements are on or off: a decoder that says one half of each has exactly length · log 2 nats', async () => {
    const { lesson, model, passes } = await learn('bernoulli', 1, 1e-30);
    for (const [name, array] of Object.entries(model.members[0]!))
      if (name.startsWith('decoder/vector/') || name.startsWith('encoder/mu') || name.startsWith('encoder/logVar'))
        array.values.fill(0);
    passes.dispose();
    const flat = await generatorPasses(await engine, model);
    const rows = pixels(20, 2);
    const encoded = encodeTable(lesson.encoder, rows);
    const priors = [normalOf(flat.latentDim)];
    const [bound] = await rowBounds(model, lesson.heads, flat, rows, encoded, { priors, samples: 3, seed: 1 });
    for (const nats of bound!) expect(nats).toBeCloseTo(4 * Math.log(2), 4);
    flat.dispose();
  });

  it('are learned near to their entropy, the bound tightens with more latents, and grey comes back as grey', async () => {
    const { lesson, model, passes } = await learn('bernoulli', 150, 5e-3);
    const rows = pixels(400, 3);
    const encoded = encodeTable(lesson.encoder, rows);
    const normal = normalOf(passes.latentDim);
    // A prior twice as wide: another model, whose bound is looser for the same samples.
    const wide: LatentDensity = (z) =>
      Float64Array.from(normal(z.map((value) => value / 2)), (log) => log - passes.latentDim * Math.log(2));
    const nats = async (samples: number) =>
      (await rowBounds(model, lesson.heads, passes, rows, encoded, { priors: [normal, wide], samples, seed: 1 })).map(
        mean,
      );
    const [[loose], [tight, other]] = [await nats(1), await nats(64)] as [[number], [number, number]];
    expect(other).toBeGreaterThan(tight);
    expect(other).toBeLessThan(tight + passes.latentDim * Math.log(2));
    // H(.7) of the two together, H(.25) of the grey one, nothing of the last.
    const entropy = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    const truth = entropy(0.7) + entropy(0.25);
    expect(tight).toBeLessThan(loose);
    expect(tight).toBeGreaterThan(truth - 0.06);
    expect(tight).toBeLessThan(truth + 0.12);
    const z = new Float32Array(2000);
    const random = hostRandom(1, 4);
    for (let at = 0; at < z.length; at++) z[at] = random.normal();
    const answers = await passes.distributions(z);
    const drawn = tableFromHeads(lesson.encoder, lesson.heads, answers, 1000, hostRandom(2, 4)).vectors!.pixels!;
    const grey = (j: number) => mean(Float64Array.from({ length: 1000 }, (_, row) => drawn.values[row * 4 + j]!)) / 16;
    expect(Math.abs(grey(0) - 0.7)).toBeLessThan(0.12);
    expect(Math.abs(grey(2) - 0.25)).toBeLessThan(0.08);
    expect(grey(3)).toBeLessThan(0.03);
    const both = tableFromHeads(lesson.encoder, lesson.heads, answers, 1000, hostRandom(2, 4), { elements: 'drawn' });
    expect([...new Set(both.vectors!.pixels!.values)].sort((a, b) => a - b)).toEqual([0, 16]);
    let together = 0;
    for (let row = 0; row < 1000; row++)
      if (both.vectors!.pixels!.values[row * 4] === both.vectors!.pixels!.values[row * 4 + 1]) together++;
    expect(together).toBeGreaterThan(850);
    passes.dispose();
  });

  it('whose elements are normal find their deviation, and stay inside what was seen', async () => {
    const { lesson, passes } = await learn('gaussian', 120, 5e-3);
    const { vectors, groups } = await passes.distributions(new Float32Array(400).map((_, i) => Math.sin(7 * i)));
    expect(groups).toEqual([]);
    // The two pixels are told by the latent, the others never change: little is left over.
    expect(vectors[0]!.sigma).toBeLessThan(0.5);
    const drawn = tableFromHeads(lesson.encoder, lesson.heads, { vectors, groups }, 200, hostRandom(2, 4), {
      elements: 'drawn',
    });
    const { values } = drawn.vectors!.pixels!;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(16);
    passes.dispose();
  });

  it('are refused where some are missing, or where all their numbers are one', async () => {
    const holed = pixels(100, 1);
    holed.vectors!.pixels!.values.fill(NaN, 0, 4);
    const blank = pixels(100, 1);
    blank.vectors!.pixels!.values.fill(3);
    const prepare = (table: Table) =>
      prepareVariational(
        reader(table),
        { maxCategories: 5, maxRows: 100, decoder: 'bernoulli' } as VariationalOptions,
        1,
      );
    await expect(prepare(holed)).rejects.toThrow(
      /column "pixels" has no list of numbers in 1.0 % of the rows.*exclude/,
    );
    await expect(prepare(blank)).rejects.toThrow(/lists of one number, 3, throughout/);
  });

  it('are no image for convolutions without a shape that fits', async () => {
    const prepare = (shape?: [number, number]) =>
      prepareVariational(
        reader(pixels(100, 1)),
        { architecture: 'conv', shape, maxCategories: 5, maxRows: 100, decoder: 'bernoulli' } as VariationalOptions,
        1,
      );
    await expect(prepare()).rejects.toThrow(/architecture: conv: needs shape/);
    await expect(prepare([3, 2])).rejects.toThrow(
      /shape 3 × 2 needs one column of lists of 6 numbers.*found lists of 4/,
    );
  });
});

describe('the weight of the KL term', () => {
  const course = (kind: 'constant' | 'linear' | 'cyclic', epochs: number) => {
    const beta = betaSchedule({ beta: 0.5, betaSchedule: kind, warmup: 4 }, epochs);
    return Array.from({ length: epochs }, (_, i) => beta(i + 1));
  };

  it('stays, rises once, or rises again and again, and ends at its full value', () => {
    expect(course('constant', 3)).toEqual([0.5, 0.5, 0.5]);
    expect(course('linear', 6)).toEqual([0.125, 0.25, 0.375, 0.5, 0.5, 0.5]);
    const cyclic = course('cyclic', 18);
    expect(cyclic.slice(0, 10)).toEqual([0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5, 0.5, 0.125, 0.25]);
    expect(cyclic.slice(-2)).toEqual([0.5, 0.5]);
  });

  it('reaches the compiled training epoch by epoch, and validation at one value', async () => {
    const engine = await resolveEngine('cpu');
    const column = (value: number) => ({
      x: { dtype: 'float32' as const, shape: [8, 1], values: new Float32Array(8).fill(value) },
    });
    const { curve } = await train(
      engine,
      {
        params: {
          weight: { shape: [1], values: Float32Array.of(0) },
          'skip/beta': { shape: [1], values: Float32Array.of(0) },
        },
        frozen: ['skip/beta'],
        data: column(1),
        validation: column(1),
        scheduled: (epoch) => ({ 'skip/beta': Float32Array.of(10 * epoch) }),
        judged: { 'skip/beta': Float32Array.of(7) },
        rowLoss: ({ x }, params) => {
          const rows = tf.sum(x!, 1);
          const nothing = tf.mul(tf.sum(tf.square(params.weight!)), 1e-9);
          return { loss: tf.add(tf.mul(rows, params['skip/beta']!), nothing), weight: rows };
        },
      },
      {
        epochs: 3,
        batchSize: 4,
        learningRate: 1e-30,
        schedule: 'constant',
        weightDecay: 0,
        clipNorm: 1,
        patience: 10,
        seed: 1,
      },
    );
    expect(curve.map(({ loss }) => loss && Math.round(loss))).toEqual([undefined, 10, 20, 30]);
    expect(curve.map(({ validationLoss }) => Math.round(validationLoss!))).toEqual([7, 7, 7, 7]);
  });
});
