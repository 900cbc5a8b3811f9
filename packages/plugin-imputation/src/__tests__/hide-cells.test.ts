import type { Table } from '@hourglass/dataset';
import { describe, expect, it } from 'vitest';
import { drawHidden, planHiding } from '../hide-cells.ts';

const N = 20_000;
const names = ['a', 'b', 'c', 'd'];
const table: Table = {
  rows: N,
  columns: {
    ...Object.fromEntries(
      names
        .slice(0, 3)
        .map((name, c) => [
          name,
          { kind: 'numeric', values: Float64Array.from({ length: N }, (_, i) => Math.sin(i * (c + 1.3)) * 10 + c) },
        ]),
    ),
    d: {
      kind: 'category',
      codes: Int32Array.from({ length: N }, (_, i) => (i % 10 === 0 ? 2 : i % 10 < 4 ? 1 : 0)),
      categories: ['often', 'some', 'rare'],
    },
  },
};
const numeric = (name: string): Float64Array => (table.columns[name] as { values: Float64Array }).values;
const share = (mask: Uint8Array): number => mask.reduce((sum, cell) => sum + cell, 0) / mask.length;
const meanWhere = (values: Float64Array, mask: Uint8Array, hidden: number): number => {
  const kept = values.filter((_, i) => mask[i] === hidden);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
};

describe('planHiding and drawHidden', () => {
  for (const mechanism of ['mcar', 'mar', 'mnar'] as const)
    for (const rate of [0.05, 0.2, 0.7])
      it(`${mechanism} hides the share asked for: ${rate}`, () => {
        const plan = planHiding(names, { rate, mechanism }, 3, table);
        const hidden = drawHidden(plan, N, 0, table);
        expect(Object.keys(hidden).length).toBeGreaterThan(0);
        for (const mask of Object.values(hidden)) expect(Math.abs(share(mask) - rate)).toBeLessThan(0.015);
      });

  it('gives the same cells for the same seed, others for another', () => {
    const draw = (seed: number): Record<string, Uint8Array> =>
      drawHidden(planHiding(names, { rate: 0.2, mechanism: 'mar' }, seed, table), N, 0, table);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('gives the same cells chunk by chunk as all at once', () => {
    const plan = planHiding(names, { rate: 0.2, mechanism: 'mcar' }, 5);
    const whole = drawHidden(plan, 1000, 0);
    const tail = drawHidden(plan, 300, 700);
    for (const name of names) expect(tail[name]).toEqual(whole[name]!.slice(700));
  });

  it('hides columns independently of one another', () => {
    const { a, b } = drawHidden(planHiding(names, { rate: 0.5, mechanism: 'mcar' }, 5), N, 0);
    expect(Math.abs(share(a!.map((cell, i) => cell & b![i]!)) - 0.25)).toBeLessThan(0.015);
  });

  it('mcar: hidden and kept cells have the same mean', () => {
    const { a } = drawHidden(planHiding(names, { rate: 0.3, mechanism: 'mcar' }, 5), N, 0);
    expect(Math.abs(meanWhere(numeric('a'), a!, 1) - meanWhere(numeric('a'), a!, 0))).toBeLessThan(0.5);
  });

  it('mnar: high numbers and rare categories go more often', () => {
    const hidden = drawHidden(planHiding(names, { rate: 0.3, mechanism: 'mnar' }, 5, table), N, 0, table);
    expect(meanWhere(numeric('a'), hidden.a!, 1) - meanWhere(numeric('a'), hidden.a!, 0)).toBeGreaterThan(5);
    const codes = (table.columns.d as { codes: Int32Array }).codes;
    const rateOf = (code: number): number => share(hidden.d!.filter((_, i) => codes[i] === code));
    expect(rateOf(2)).toBeGreaterThan(rateOf(1));
    expect(rateOf(1)).toBeGreaterThan(rateOf(0));
  });

  it('mar: keeps some columns whole, and those decide', () => {
    const hidden = drawHidden(planHiding(names, { rate: 0.3, mechanism: 'mar' }, 5, table), N, 0, table);
    const whole = names.filter((name) => !hidden[name]);
    expect(whole).toHaveLength(1);
    const driver = whole[0]!;
    const values =
      driver === 'd' ? Float64Array.from((table.columns.d as { codes: Int32Array }).codes) : numeric(driver);
    const target = Object.values(hidden)[0]!;
    const deviation = driver === 'd' ? 0.6 : 7;
    expect(Math.abs(meanWhere(values, target, 1) - meanWhere(values, target, 0))).toBeGreaterThan(deviation / 3);
  });

  it('mar: refuses a single column by name', () => {
    expect(() => planHiding(['a'], { rate: 0.2, mechanism: 'mar' }, 5, table)).toThrow(/mar needs columns.*\(a\)/);
  });
});
