import { hostRandom, resolveEngine, type EngineName } from '@hourglass/engine';
import { describe, expect, it } from 'vitest';
import { prepareLesson, trainMember } from '../application/learn.ts';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import { predictor } from '../model/predictor.ts';
import { filling, modelOf, optionsOf } from './support/learning.ts';
import { names, numbers, sourceOf } from './support/workbench.ts';

const DAY = 86_400_000;

/** Every column follows from the season, which no column says outright. */
function seasons(n: number) {
  const random = hostRandom(11);
  const season = Array.from({ length: n }, () => Math.floor(random.uniform() * 4));
  const day = season.map(
    (s) => (Math.floor(random.uniform() * 3) * 365 + s * 91 + Math.floor(random.uniform() * 80)) * DAY,
  );
  const colours = ['white', 'green', 'gold', 'brown'];
  return sourceOf(
    {
      colour: names(season.map((s) => colours[s]!)),
      coat: numbers(season.map((s) => (s === 0 ? 1 : 0))),
      warmth: numbers(season.map((s) => [0, 12, 25, 11][s]! + random.normal())),
      day: numbers(day),
    },
    { coat: { type: 'boolean', physical: 'BOOLEAN' }, day: { type: 'date', physical: 'DATE' } },
  );
}

const options = optionsOf({ width: 32, latentDim: 8, epochs: 30, batchSize: 64, learningRate: 0.01, skip: 'gaussian' });

describe('a table of numbers, booleans, categories and dates', () => {
  it('is learned across types: each hidden column follows from the others', async () => {
    const engine = await resolveEngine('onnxruntime');
    const source = seasons(400);
    const lesson = await prepareLesson(filling, source, options, 3);
    const { params } = await trainMember(engine, lesson, 0, {});
    const answer = predictor(engine, modelOf(lesson, [params]));
    const without = async (name: string) => {
      const { all } = source;
      const data = all.columns[name]!;
      const hidden =
        data.kind === 'numeric' ? numbers(Array(all.rows).fill(NaN)) : { ...data, codes: data.codes.map(() => -1) };
      const encoded = encodeTable(lesson.encoder, { rows: all.rows, columns: { ...all.columns, [name]: hidden } });
      return decodeTable(lesson.encoder, await answer.reconstruct(encoded)).columns[name]!;
    };
    const colour = await without('colour');
    const truth = source.all.columns.colour!;
    if (colour.kind !== 'category' || truth.kind !== 'category') throw new Error('expected categories');
    const right = truth.codes.filter((code, row) => colour.categories[colour.codes[row]!] === truth.categories[code]);
    // The date tells the season by its cycle of a year, not by its amount.
    expect(right.length / truth.codes.length).toBeGreaterThan(0.9);
    const coat = await without('coat');
    const worn = source.all.columns.coat!;
    if (coat.kind !== 'numeric' || worn.kind !== 'numeric') throw new Error('expected numbers');
    expect(worn.values.filter((value, row) => coat.values[row] === value).length / 400).toBeGreaterThan(0.95);
    answer.dispose();
  });

  it.each<EngineName>(['onnxruntime', 'wasm'])('trains on %s as on cpu', async (name) => {
    const lesson = await prepareLesson(filling, seasons(120), { ...options, epochs: 2 }, 3);
    const reference = await trainMember(await resolveEngine('cpu'), lesson, 0, {});
    const trained = await trainMember(await resolveEngine(name), lesson, 0, {});
    trained.curve.forEach(({ loss, validationLoss }, epoch) => {
      if (epoch > 0) expect(loss! / reference.curve[epoch]!.loss!).toBeCloseTo(1, 3);
      expect(validationLoss! / reference.curve[epoch]!.validationLoss!).toBeCloseTo(1, 3);
    });
  });
});

it('a table larger than maxRows is fitted whole and trained on a seeded sample', async () => {
  const source = seasons(500);
  const chunked = {
    ...source,
    async *chunks() {
      for (const from of [0, 200]) {
        const to = from === 0 ? 200 : 500;
        yield {
          rows: to - from,
          columns: Object.fromEntries(
            Object.entries(source.all.columns).map(([name, data]) => [
              name,
              data.kind === 'numeric'
                ? { kind: 'numeric' as const, values: data.values.slice(from, to) }
                : { ...data, codes: data.codes.slice(from, to) },
            ]),
          ),
        };
      }
    },
  };
  const small = { ...options, maxRows: 100, validationFraction: 0 };
  const lesson = await prepareLesson(filling, chunked, small, 3);
  const rows = lesson.split.train.rows;
  expect(rows).toBeGreaterThan(70);
  expect(rows).toBeLessThan(130);
  expect(lesson.notices).toEqual([
    expect.stringContaining(`a sample of ${rows} of 500 rows`),
    expect.stringContaining('latentDim'),
  ]);
  expect((await prepareLesson(filling, chunked, small, 3)).split.train).toEqual(lesson.split.train);
  expect(lesson.encoder).toEqual((await prepareLesson(filling, source, options, 3)).encoder);
});
