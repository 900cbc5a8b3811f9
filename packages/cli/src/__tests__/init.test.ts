import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { ingest, openDataset } from '@hourglass/dataset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeWorkspace, type Workspace } from './support/workspace.ts';

const data = (name: string): string =>
  fileURLToPath(new URL(`../../../../workflows/data/${name}.parquet`, import.meta.url));

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace();
});
afterAll(() => w.remove());

/** A CSV file of the columns, each a function of the row. */
function csv(name: string, rows: number, columns: Record<string, (row: number) => unknown>): void {
  const lines = Array.from({ length: rows }, (_, i) => Object.values(columns).map((cell) => cell(i) ?? ''));
  w.write(name, [Object.keys(columns), ...lines].map((line) => line.join(',')).join('\n'));
}

/** What is proposed for a table: the text, and what it says of columns left out. */
async function propose(table: string): Promise<{ text: string; excluded: Record<string, string>; document: any }> {
  const { code, out, err } = await w.call(['init', table]);
  expect(code, err).toBe(0);
  const document = parse(out);
  const names: string[] = document.params.notLearned ?? [];
  const reason = (name: string): string =>
    out.match(new RegExp(`^ +- "?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"? # (.*)$`, 'm'))?.[1] ?? '';
  return { text: out, document, excluded: Object.fromEntries(names.map((name) => [name, reason(name)])) };
}

/** Repeatable noise in 0 … 1. */
const noise = (i: number): number => (Math.sin(i * 12.9898) * 43758.5453) % 1;
const amounts = { a: (i: number) => (i * 37) % 101, b: (i: number) => (i * 53) % 97, c: (i: number) => (i * 11) % 89 };

describe('which columns init leaves out', () => {
  it.each([
    ['telco-churn', { churn: 'a label, by its name (2 values)' }],
    ['credit', { Status: 'a label, by its name and as the first column (2 values)' }],
    ['spambase', { type: 'a label, by its name and as the last column (2 values)' }],
    ['satellite', { classes: 'a label, by its name (6 values)' }],
    ['wdbc', { diagnosis: 'a label, by its name (2 values)' }],
    ['letter', { lettr: 'a label, as the first column and the only one that is no number (26 values)' }],
  ])('%s: its label, with the reason', async (name, expected) => {
    expect((await propose(data(name))).excluded).toEqual(expected);
  });

  it('ids, by their values or their names, and what cannot be learned', async () => {
    csv('ids.csv', 200, {
      customerId: (i) => 5000 + i * 3,
      row: (i) => i + 1,
      code: (i) => `k${i}`,
      ...amounts,
      remark: (i) => (i < 150 ? `text ${i}` : 'text 1'),
      nothing: () => null,
      same: () => 'x',
    });
    const { excluded, document } = await propose('ids.csv');
    expect(excluded).toEqual({
      customerId: 'every value is different: an id',
      row: 'every value is different: an id',
      code: 'every value is different: an id or free text',
      remark: '150 different values: free text',
      nothing: 'no value at all',
      same: 'the same value in every row',
    });
    // Of what type a column without any value is, is a guess: tomorrow’s file may have some.
    const { types } = document.stages.ingest.with.contract;
    expect(types).toMatchObject({ same: 'string', a: 'number' });
    expect(types).not.toHaveProperty('nothing');
  });

  it('a name that only sounds like one stays: paid, grid, a type in the middle, a class of many values', async () => {
    csv('stay.csv', 200, {
      paid: (i) => i * 3,
      grid: (i) => 7 * i,
      type: (i) => ['s', 'm', 'l'][i % 3],
      colour: (i) => ['red', 'blue'][i % 2],
      class: (i) => i % 80,
      ...amounts,
    });
    expect((await propose('stay.csv')).excluded).toEqual({});
  });

  it('a number of few values at the edge, where all others have many; an id beside it does not hide it', async () => {
    csv('edge.csv', 200, { ...amounts, defect: (i) => i % 2, id: (i) => i });
    expect((await propose('edge.csv')).excluded).toEqual({
      defect: 'a label, as the last column and the only one of few values (2 values)',
      id: 'every value is different: an id',
    });
  });

  it('what regression is for: a target of many values', async () => {
    csv('target.csv', 200, { ...amounts, target: (i) => noise(i) * 10 });
    expect((await propose('target.csv')).excluded).toEqual({ target: 'a label, by its name' });
  });

  it('says how to learn from a column after all, and one line decides for all stages', async () => {
    const { text, document } = await propose(data('credit'));
    expect(text).toMatch(/To learn from a column after all, delete its line/);
    for (const stage of ['holdout', 'train'])
      expect(document.stages[stage].with.exclude).toBe('${{ params.notLearned }}');
  });

  it('a table of nothing to learn from: refused, with the reason of each column', async () => {
    csv('none.csv', 50, { id: (i) => i, note: (i) => `n${i}` });
    const { code, err } = await w.call(['init', 'none.csv']);
    expect(code).toBe(1);
    expect(err).toMatch(/no column to learn from: id \(every value is different: an id\); note \(every value/);
  });
});

describe('what init proposes', () => {
  it('the contract holds types, what is complete, what is never negative, closed sets and unique ids', async () => {
    csv('orders.csv', 120, {
      id: (i) => i,
      price: (i) => noise(i) + 2,
      change: (i) => (i % 7) - 3.5,
      size: (i) => ['s', 'm', 'l'][i % 3],
      weight: (i) => (i % 9 === 0 ? null : i % 17),
    });
    const { contract } = (await propose('orders.csv')).document.stages.ingest.with;
    expect(contract).toEqual({
      minRows: 60,
      types: { id: 'number', price: 'number', change: 'number', size: 'string', weight: 'number' },
      notNull: ['id', 'price', 'change', 'size'],
      ranges: { id: { min: 0 }, price: { min: 0 }, weight: { min: 0 } },
      values: { size: ['l', 'm', 's'] },
      unique: ['id'],
    });
  });

  it('the gate asks only what the table can answer: numbers by RMSE, categories by accuracy', async () => {
    const gate = async (columns: Record<string, (row: number) => unknown>): Promise<string> => {
      csv('gate.csv', 100, columns);
      return (await propose('gate.csv')).document.stages.evaluate.gate;
    };
    const size = (i: number): unknown => ['s', 'm', 'l'][i % 3];
    const rmse = 'metrics.rmse <= metrics.baselines.mean.rmse';
    const accuracy = 'metrics.accuracy >= metrics.baselines.mode.accuracy';
    expect(await gate(amounts)).toBe(rmse);
    expect(await gate({ size, colour: (i) => ['red', 'blue'][i % 2] })).toBe(accuracy);
    expect(await gate({ size, colour: size, ...amounts })).toBe(`${rmse} && ${accuracy}`);
  });

  it('runs as it stands on a mixed table: gate passed, missing cells filled, all others and the label as they were', async () => {
    const level = (i: number): number => Math.floor((i * 7919) % 4);
    csv('mixed.csv', 400, {
      id: (i) => `c-${i}`,
      tenure: (i) => (i % 23 === 0 ? null : 10 * level(i) + (i % 3)),
      charge: (i) => 20 + 15 * level(i) + noise(i),
      active: (i) => (level(i) > 1 ? 1 : 0),
      plan: (i) => (i % 31 === 0 ? null : ['free', 'basic', 'plus', 'pro'][level(i)]),
      region_code: (i) => 100 + level(i),
      churn: (i) => (i % 5 === 0 ? 'yes' : 'no'),
    });
    expect((await w.call(['init', 'mixed.csv', '-o', 'mixed.yaml'])).code).toBe(0);
    const document = parse(readFileSync(join(w.dir, 'mixed.yaml'), 'utf8'));
    expect(document.stages.train.with.categorical).toEqual(['region_code']);
    const { code, out, err } = await w.call(['run', 'mixed.yaml', '--json', '-p', 'epochs=10']);
    expect(code, err).toBe(0);
    const { metrics } = JSON.parse(out.trimEnd().split('\n').at(-1)!);
    const { value } = metrics.find(({ path }: any) => path === 'evaluate');
    // Codes are right or wrong; their distance means nothing.
    expect(value.columns.region_code).toMatchObject({ rmse: null });
    expect(value.columns.active.rmse).not.toBeNull();
    expect(value.columns.churn).toBeUndefined();
    const { artifacts } = await openStore(join(w.dir, 'look'));
    const read = async (uri: string): Promise<Record<string, unknown>[]> =>
      (await (await openDataset(artifacts, await ingest(artifacts, { uri: join(w.dir, uri) }))).arrow())
        .toArray()
        .map((row) => row.toJSON());
    const before = await read('mixed.csv');
    const after = await read('out/mixed-filled.parquet');
    let filled = 0;
    before.forEach((row, i) => {
      for (const [name, cell] of Object.entries(row))
        if (cell !== null) expect(after[i]![name]).toEqual(cell);
        else {
          filled++;
          expect(after[i]![name]).not.toBeNull();
        }
    });
    expect(filled).toBe(18 + 13);
    expect(existsSync(join(w.dir, 'out/mixed-latents.parquet'))).toBe(true);
    expect((await w.call(['names', 'ls'])).out).toMatch(/mixed_model/);
  });
});
