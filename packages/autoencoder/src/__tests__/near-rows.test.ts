import { resolveEngine, type DataArray, type Engine } from '@hourglass/engine';
import { nearestNeighbours } from '@hourglass/metrics';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Application } from '../application/application.ts';
import { toData } from '../model/data.ts';
import { drawNearRows, nearOf, nearRows } from '../neighbours/near-rows.ts';
import { encodedColumns } from './support/encoded-columns.ts';
import { identity, learn, lessonOf, lowRank } from './support/learning.ts';

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend('cpu');
  engine = await resolveEngine('cpu');
});

/** Rows with one category, whose one number says little. */
function coded(codes: number[]): Record<string, DataArray> {
  const encoded = encodedColumns([codes.map((_, i) => (i * 7) % 3)]);
  return toData({
    ...encoded,
    x: encoded.x.map((x) => 0.01 * x),
    codes: Int32Array.from(codes),
    w: new Float32Array(2 * codes.length).fill(1),
  });
}

describe('near rows', () => {
  it('are the nearest others, nearly all of them', async () => {
    const { split } = await lessonOf(lowRank(600, 12, 6), { validationFraction: 0.1 });
    const { rows, x } = split.train;
    const { validation } = split;
    const { own: near } = await nearRows(toData(split.train), 10, []);
    const matrix = { rows, cols: 12, data: x };
    const exact = nearestNeighbours(matrix, matrix, 10, { self: true });
    const found = Array.from({ length: rows }, (_, row) => {
      const of = (all: Int32Array): number[] => [...all.subarray(row * 10, (row + 1) * 10)];
      expect(of(near.indices)).not.toContain(row);
      return of(exact.indices).filter((each) => of(near.indices).includes(each)).length;
    });
    expect(found.reduce((sum, each) => sum + each) / (10 * rows)).toBeGreaterThan(0.99);
    // Of other rows the nearest of the table, however few they are.
    const { others } = await nearRows(toData(split.train), 1, [], { others: validation });
    const theirs = { rows: validation!.w!.shape[0]!, cols: 12, data: validation!.x!.values as Float32Array };
    expect(others!.indices).toEqual(nearestNeighbours(matrix, theirs, 1).indices);
  });

  it.each([
    ['few codes', 5],
    ['more codes than a simplex has corners for', 300],
  ])('are of the same category where numbers say little: %s', async (_, codes) => {
    const column = Array.from({ length: 4 * codes }, (_, row) => row % codes);
    const { indices } = (await nearRows(coded(column), 3, [codes])).own;
    indices.forEach((other, i) => expect(column[other]).toBe(column[Math.floor(i / 3)]));
  });

  it('are others of their kind among many equal rows', async () => {
    const table = toData(encodedColumns([Array.from({ length: 90 }, (_, i) => i % 3)]));
    const { indices } = (await nearRows(table, 20, [])).own;
    indices.forEach((other, i) => expect(other % 3).toBe(Math.floor(i / 20) % 3));
  });

  it('are refused where there are fewer', async () => {
    await expect(nearRows(coded([1, 2, 3]), 3, [5])).rejects.toThrow(/neighbours: 3 near rows .* there are 2 others/);
  });

  it('tell how far they are, and stop when they are not wanted any more', async () => {
    const { split } = await lessonOf(lowRank(1500, 4, 2), { validationFraction: 0 });
    const told: number[] = [];
    await nearRows(toData(split.train), 2, [], { entered: (rows) => told.push(rows) });
    expect(told).toEqual([500, 1000, 1500]);
    const stop = new AbortController();
    const entered = (): void => stop.abort(new Error('enough'));
    await expect(nearRows(toData(split.train), 2, [], { entered, signal: stop.signal })).rejects.toThrow('enough');
  });

  it('are drawn one a row, others in the next epoch, the same by the same seed', async () => {
    const table = encodedColumns([Array.from({ length: 50 }, (_, i) => i)]);
    const near = (await nearRows(toData(table), 4, [])).own;
    const draw = (seed: number, epoch: number): number[] => [
      ...nearOf(drawNearRows(table, near, seed, epoch))!.x!.values,
    ];
    draw(1, 1).forEach((other, row) => expect([...near.indices.subarray(row * 4, row * 4 + 4)]).toContain(other));
    expect(draw(1, 1)).toEqual(draw(1, 1));
    expect(draw(1, 2)).not.toEqual(draw(1, 1));
    expect(draw(2, 1)).not.toEqual(draw(1, 1));
    expect(nearOf(toData(table))).toBeUndefined();
  });
});

describe('training with near rows', () => {
  const drawn: Application = { ...identity, contrast: () => 1, neighbours: () => 5 };
  const options = { epochs: 4, learningRate: 0.02, validationFraction: 0.2 };

  it('draws them anew each epoch, and continues bit for bit from any checkpoint', async () => {
    const lesson = await lessonOf(lowRank(80, 4, 2), options, drawn);
    const { trained, checkpoints } = await learn(engine, lesson, { sliceMs: 0, checkpointMs: 0 });
    for (const resume of [checkpoints[0], checkpoints[7], checkpoints.at(-1)]) {
      const resumed = await learn(engine, lesson, { resume: structuredClone(resume), sliceMs: 10_000 });
      expect(resumed.trained).toEqual(trained);
    }
    const always = await lessonOf(lowRank(80, 4, 2), options, { ...drawn, neighbours: () => 1 });
    expect((await learn(engine, always)).trained.params).not.toEqual(trained.params);
  });

  it('counts them in validation', async () => {
    const source = lowRank(80, 4, 2);
    const untrained = async (application: Application): Promise<number> =>
      (await learn(engine, await lessonOf(source, { ...options, epochs: 1 }, application))).trained.curve[0]!
        .validationLoss!;
    // Of 16 rows to be told apart log 16 nats at most.
    const nats = (await untrained(drawn)) - (await untrained(identity));
    expect(nats).toBeGreaterThan(0.1);
    expect(nats).toBeLessThan(Math.log(16));
  });
});
