import type { Column, ColumnData, Table } from '@hourglass/dataset';
import { hostRandom, resolveEngine } from '@hourglass/engine';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { trainMember } from '../application/learn.ts';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import type { Head } from '../model/head.ts';
import { predictor } from '../model/predictor.ts';
import { exportModel } from '../onnx/export-model.ts';
import { filling, lessonOf, modelOf } from './support/learning.ts';
import { names, numbers, sourceOf } from './support/workbench.ts';

const DAY = 86_400_000;
const ROWS = 200;

const TYPES: Record<string, Partial<Column>> = {
  single: { physical: 'FLOAT' },
  count: { type: 'integer', physical: 'INTEGER' },
  bent: {},
  nothing: {},
  day: { type: 'date', physical: 'DATE' },
  at: { type: 'timestamp', physical: 'TIMESTAMP' },
  coat: { type: 'boolean', physical: 'BOOLEAN' },
  maybe: { type: 'boolean', physical: 'BOOLEAN' },
  code: { type: 'integer', physical: 'BIGINT' },
};

/** Columns of every kind; a tenth of the cells is missing where the type can say so. */
function everyKind() {
  const random = hostRandom(5);
  const cells = <T>(value: (k: number) => T, holes: T | null): T[] =>
    Array.from({ length: ROWS }, (_, k) => (holes !== null && random.uniform() < 0.1 ? holes : value(k)));
  const skewed = (): number => Math.exp(2 * random.normal());
  return sourceOf(
    {
      single: numbers(cells(() => Math.fround(skewed()), NaN)),
      count: numbers(cells(() => Math.floor(skewed()), NaN)),
      bent: numbers(cells(skewed, NaN)),
      nothing: numbers(cells(() => NaN, null)),
      day: numbers(cells((k) => (12_000 + 9 * k) * DAY, NaN)),
      at: numbers(cells((k) => 1.7e12 + k * 5 * 3_600_000, NaN)),
      coat: numbers(cells(() => (random.uniform() < 0.3 ? 1 : 0), null)),
      maybe: numbers(cells(() => (random.uniform() < 0.6 ? 1 : 0), NaN)),
      colour: names(cells<string | null>(() => ['red', 'grün', '蓝'][Math.floor(3 * random.uniform())]!, null)),
      empty: names(cells<string | null>((k) => ['', 'x', null][k % 3]!, null)),
      same: names(cells<string | null>((k) => (k % 9 === 0 ? null : 'same'), null)),
      code: numbers(cells(() => [10, 200, 3000][Math.floor(3 * random.uniform())]!, NaN)),
    },
    TYPES,
  );
}

async function trained(ensemble: number, skip: 'gaussian' | 'none', answers: 'value' | 'distribution' = 'value') {
  const engine = await resolveEngine('onnxruntime');
  const source = everyKind();
  const lesson = await lessonOf(
    source,
    { categorical: ['code'], skip, answers, pieces: answers === 'value' ? 0 : 6, width: 16, epochs: 3 },
    filling,
  );
  const members = [];
  for (let member = 0; member < ensemble; member++)
    members.push((await trainMember(engine, lesson, member, {})).params);
  return { engine, source, model: modelOf(lesson, members, { application: 'filling', version: 1 }) };
}

/** Rows of later: missing cells in every column that can, values beyond the range, a colour that is new. */
function later(source: ReturnType<typeof everyKind>): Table {
  const columns: Record<string, ColumnData> = structuredClone(source.all.columns);
  const { colour, bent, code } = columns;
  if (colour?.kind !== 'category' || bent?.kind !== 'numeric' || code?.kind !== 'numeric') throw new Error('kinds');
  colour.categories.push('mauve');
  colour.codes.set([3, -1], 0);
  bent.values.set([-50, 1e6, Infinity], 0);
  bent.values[2] = NaN;
  code.values.set([77, 200, NaN], 0);
  return { rows: ROWS, columns };
}

/** The table as the file takes it. */
function feedsOf(table: Table, inputs: { name: string; type: string; missing: string | null }[]) {
  return Object.fromEntries(
    inputs.map(({ name, type, missing }) => {
      const data = table.columns[name]!;
      const dims = [table.rows, 1];
      if (data.kind === 'category')
        return [
          name,
          new Tensor(
            'string',
            Array.from(data.codes, (code) => (code < 0 ? missing! : data.categories[code]!)),
            dims,
          ),
        ];
      const { values } = data;
      if (type === 'int64')
        return [
          name,
          new Tensor(
            'int64',
            BigInt64Array.from(values, (v) => (Number.isNaN(v) ? BigInt(missing!) : BigInt(v))),
            dims,
          ),
        ];
      if (type === 'bool') return [name, new Tensor('bool', Uint8Array.from(values), dims)];
      return [
        name,
        type === 'float32'
          ? new Tensor('float32', Float32Array.from(values), dims)
          : new Tensor('float64', values, dims),
      ];
    }),
  );
}

/** Cells of an output as the table has them. */
const cellsOf = (tensor: Tensor): (number | string | null)[] =>
  Array.from(tensor.data as ArrayLike<number | bigint | string>, (value) =>
    typeof value === 'bigint'
      ? value === -(2n ** 63n)
        ? null
        : Number(value)
      : typeof value === 'number' && Number.isNaN(value)
        ? null
        : value,
  );
const cellOf = (data: ColumnData, row: number): number | string | null =>
  data.kind === 'category'
    ? (data.categories[data.codes[row]!] ?? null)
    : Number.isNaN(data.values[row]!)
      ? null
      : data.values[row]!;

describe('a model as ONNX', () => {
  it.each([
    [1, 'none', 'value'],
    [2, 'gaussian', 'value'],
    [1, 'none', 'distribution'],
  ] as const)(
    'answers as ours does on columns of every kind (%i networks, skip: %s, answers: %s)',
    async (ensemble, skip, answers) => {
      const { engine, source, model } = await trained(ensemble, skip, answers);
      const table = later(source);
      const ours = predictor(engine, model);
      const encoded = encodeTable(model.encoder, table);
      const { bytes, inputs, outputs } = await exportModel(model, {
        outputs: ['latent', 'reconstructed', 'filled', 'error'],
        exact: true,
      });
      expect(Object.fromEntries(inputs.map(({ name, type }) => [name, type]))).toEqual({
        single: 'float32',
        count: 'int64',
        bent: 'float64',
        nothing: 'float64',
        day: 'int64',
        at: 'int64',
        coat: 'bool',
        maybe: 'float32',
        colour: 'string',
        empty: 'string',
        same: 'string',
        code: 'int64',
      });
      expect(outputs.find(({ name }) => name === 'latent')).toEqual({ name: 'latent', type: 'float32', width: 2 });
      const session = await InferenceSession.create(bytes);
      const answer = await session.run(feedsOf(table, inputs));

      const z = await ours.latents(encoded);
      z.forEach((value, i) => expect((answer.latent!.data as Float32Array)[i]).toBeCloseTo(value, 5));
      const errors = await ours.errors(encoded);
      errors.forEach((value, i) =>
        expect(Math.abs((answer.error!.data as Float32Array)[i]! / value - 1)).toBeLessThan(1e-4),
      );
      const exact = decodeTable(model.encoder, await ours.reconstruct(encoded), { as: 'exact' });
      for (const { name } of inputs) {
        const made = cellsOf(answer[`${name}.reconstructed`] as Tensor);
        const filled = cellsOf(answer[`${name}.filled`] as Tensor);
        for (let row = 0; row < ROWS; row++) {
          const expected = cellOf(exact.columns[name]!, row);
          if (typeof expected === 'number' && model.encoder.columns.find((c) => c.name === name)!.kind !== 'category')
            expect(Math.abs((made[row] as number) / expected - 1), `${name} ${row}`).toBeLessThan(1e-4);
          else expect(made[row], `${name} ${row}`).toEqual(expected);
          const given = cellOf(table.columns[name]!, row);
          expect(filled[row], `${name} ${row} filled`).toEqual(given ?? made[row]);
        }
      }
      ours.dispose();
    },
  );

  it('delivers whole numbers inside the observed range, days at midnight, booleans and texts', async () => {
    const { engine, source, model } = await trained(1, 'gaussian');
    const table = later(source);
    const { bytes, inputs } = await exportModel(model, { outputs: ['reconstructed'] });
    const session = await InferenceSession.create(bytes);
    const answer = await session.run(feedsOf(table, inputs));
    const ours = predictor(engine, model);
    const delivered = decodeTable(model.encoder, await ours.reconstruct(encodeTable(model.encoder, table)));
    let different = 0;
    for (const { name, type } of inputs)
      cellsOf(answer[`${name}.reconstructed`] as Tensor).forEach((cell, row) => {
        const expected = cellOf(delivered.columns[name]!, row);
        if (type === 'float32' || type === 'float64' || name === 'at') {
          if (expected === null) expect(cell).toBeNull();
          else expect(Math.abs(Number(cell) - Number(expected))).toBeLessThanOrEqual(1e-4 * Math.abs(Number(expected)));
        } else if (cell !== expected && Number(cell) !== expected) different++;
      });
    // A rounding that falls the other way may differ, nothing else.
    expect(different).toBeLessThanOrEqual(2);
    const day = answer['day.reconstructed']!.data as BigInt64Array;
    expect([...day].every((time) => time % BigInt(DAY) === 0n)).toBe(true);
    ours.dispose();
  });

  it('runs on one row and on none', async () => {
    const { source, model } = await trained(1, 'gaussian');
    const { bytes, inputs } = await exportModel(model, { outputs: ['latent', 'filled'] });
    const session = await InferenceSession.create(bytes);
    for (const rows of [1, 0]) {
      const few = {
        rows,
        columns: Object.fromEntries(
          Object.entries(source.all.columns).map(([name, data]): [string, ColumnData] => [
            name,
            data.kind === 'numeric'
              ? { kind: 'numeric', values: data.values.slice(0, rows) }
              : { ...data, codes: data.codes.slice(0, rows) },
          ]),
        ),
      };
      expect((await session.run(feedsOf(few, inputs))).latent!.dims).toEqual([rows, 2]);
    }
  });

  it('refuses a column whose rare categories share codes by hash, and says what to do', async () => {
    const source = sourceOf({
      x: numbers(Array.from({ length: 60 }, (_, k) => k % 7)),
      town: names(Array.from({ length: 60 }, (_, k) => `t${k % 12}`)),
    });
    const lesson = await lessonOf(source, { maxCategories: 5, epochs: 1 });
    await expect(exportModel(modelOf(lesson, []), { outputs: ['latent'] })).rejects.toMatchObject({
      code: 'MODEL_INCOMPATIBLE',
      message: expect.stringMatching(/"town".*hash.*larger maxCategories \(now 5\)/),
    });
  });
});

describe('a head as ONNX', () => {
  it.each([
    ['deep', { kind: 'classes', classes: ['a', 'b', 'c'], temperature: 0.7 }],
    ['latent', { kind: 'number', margin: 1, coverage: 0.9 }],
  ] as const)('answers from %s features what they give brought to scale', async (kind, target) => {
    const { engine, source, model } = await trained(2, 'none');
    const answer = predictor(engine, model);
    const encoded = encodeTable(model.encoder, source.all);
    const features = await (kind === 'deep' ? answer.activations(encoded) : answer.latents(encoded));
    answer.dispose();
    const f = features.length / ROWS;
    const answers = target.kind === 'classes' ? target.classes.length : 1;
    const random = hostRandom(2);
    const draws = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
    const head: Head = {
      label: 'kind',
      kind,
      scale: { mean: draws(f), deviation: draws(f).map((each) => 1 + each ** 2) },
      weights: draws(f * answers),
      bias: draws(answers),
      target: target as Head['target'],
    };
    const { bytes, inputs, outputs } = await exportModel(model, { outputs: ['prediction'], head });
    expect(outputs).toEqual([
      target.kind === 'classes'
        ? { name: 'probabilities', type: 'float32', width: 3 }
        : { name: 'prediction', type: 'float32', width: 1 },
    ]);
    const session = await InferenceSession.create(bytes);
    const found = (await session.run(feedsOf(source.all, inputs)))[outputs[0]!.name]!.data as Float32Array;
    for (let row = 0; row < ROWS; row++) {
      const linear = Array.from({ length: answers }, (_, k) => {
        let sum = head.bias[k]!;
        for (let j = 0; j < f; j++)
          sum +=
            ((features[row * f + j]! - head.scale.mean[j]!) / head.scale.deviation[j]!) *
            head.weights[j * answers + k]!;
        return sum;
      });
      const powers = linear.map((each) => Math.exp(each / (target.kind === 'classes' ? target.temperature : 1)));
      const total = powers.reduce((sum, each) => sum + each);
      const known = target.kind === 'classes' ? powers.map((each) => each / total) : linear;
      known.forEach((each, k) => expect(Math.abs(found[row * answers + k]! - each)).toBeLessThan(1e-5 * f));
    }
  });
});
