import { resolveEngine, type EngineName } from '@hourglass/engine';
import { describe, expect, it } from 'vitest';
import { trainMember } from '../application/learn.ts';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import { predictor } from '../model/predictor.ts';
import { filling, identity, lessonOf, modelOf } from './support/learning.ts';
import { names, numbers, sourceOf } from './support/workbench.ts';

const ROWS = 80;
const same = names(Array.from({ length: ROWS }, (_, k) => (k % 5 === 0 ? null : 'same')));
const nothing = names(Array<null>(ROWS).fill(null));
const ramp = numbers(Array.from({ length: ROWS }, (_, k) => (k % 7) - 3));

const tables = {
  'beside numbers': sourceOf({ ramp, same, nothing }),
  alone: sourceOf({ same }),
};
const engines: EngineName[] = ['cpu', 'wasm', 'onnxruntime', 'tensorflow'];

describe.each(Object.entries(tables))('a category of one value, %s', (_, source) => {
  it.each(engines)('costs nothing and is answered with its value on %s', async (name) => {
    const engine = await resolveEngine(name);
    for (const application of [filling, identity]) {
      const lesson = await lessonOf(source, { epochs: 2 }, application);
      const { params, curve } = await trainMember(engine, lesson, 0, {});
      const losses = curve.filter(({ epoch }) => epoch > 0).map(({ loss }) => loss!);
      expect(losses.every(Number.isFinite)).toBe(true);
      if (!source.all.columns.ramp) expect(losses).toEqual(losses.map(() => 0));
      const answer = predictor(engine, modelOf(lesson, [params]));
      const table = decodeTable(lesson.encoder, await answer.reconstruct(encodeTable(lesson.encoder, source.all)));
      const filled = table.columns.same!;
      if (filled.kind !== 'category') throw new Error('expected categories');
      expect(Array.from(filled.codes, (code) => filled.categories[code])).toEqual(Array(ROWS).fill('same'));
      answer.dispose();
    }
  });
});
