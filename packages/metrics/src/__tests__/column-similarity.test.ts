import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { columnShape, tableSimilarity, type ComparedColumn } from '../column-similarity.ts';

interface Case {
  real: Record<string, (number | string | null)[]>;
  synthetic: Record<string, (number | string | null)[]>;
  shapes: Record<string, number>;
  pairs: [string, string, number][];
  means: Record<'shapes' | 'pairs' | 'allPairs' | 'quality', number>;
}
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/table-similarity-sdmetrics.json', import.meta.url), 'utf8'),
) as Record<'telco' | 'credit', Case>;

/** Numbers by what the column holds in either table, so that both sides agree. */
const columnsOf = (rows: Case['real'], { real, synthetic }: Case): Record<string, ComparedColumn> =>
  Object.fromEntries(
    Object.entries(rows).map(([name, cells]): [string, ComparedColumn] => {
      const named = [...real[name]!, ...synthetic[name]!].some((cell) => typeof cell === 'string');
      if (!named)
        return [name, { kind: 'numeric', values: Float64Array.from(cells, (cell) => (cell ?? NaN) as number) }];
      const categories = [...new Set(cells.filter((cell) => cell !== null))] as string[];
      const codes = Int32Array.from(cells, (cell) => categories.indexOf(cell as string));
      return [name, { kind: 'category', codes, categories }];
    }),
  );
const numbers = (...values: number[]): ComparedColumn => ({ kind: 'numeric', values: Float64Array.from(values) });

describe.each(['telco', 'credit'] as const)('on %s, beside SDMetrics', (name) => {
  const one = fixture[name];
  const real = columnsOf(one.real, one);
  const synthetic = columnsOf(one.synthetic, one);

  it('column shapes are equal', () => {
    for (const [column, score] of Object.entries(one.shapes))
      expect(columnShape(real[column]!, synthetic[column]!), column).toBeCloseTo(score, 5);
  });

  it('column pair trends are equal, with missing cells and numbers beside categories', () => {
    expect(one.pairs.length).toBeGreaterThan(20);
    const { trend } = tableSimilarity(real, synthetic);
    for (const [a, b, score] of one.pairs) {
      expect(trend(a, b), `${a}, ${b}`).toBeCloseTo(score, 9);
      expect(trend(b, a), `${b}, ${a}`).toBe(trend(a, b));
    }
  });

  it('the scores of the table are equal to a thousandth', () => {
    const found = tableSimilarity(real, synthetic);
    for (const score of ['shapes', 'pairs', 'allPairs', 'quality'] as const)
      expect(Math.abs(found[score] - one.means[score]), score).toBeLessThan(1e-3);
    // The thresholds leave pairs out.
    expect(found.pairs).not.toBe(found.allPairs);
  });
});

describe('columns and tables', () => {
  it('are wholly alike beside themselves, and not at all beside what shares nothing', () => {
    const column = numbers(1, 2, 2, NaN, 5);
    expect(columnShape(column, column)).toBe(1);
    expect(columnShape(column, numbers(10, 11))).toBe(0);
  });

  it('have no score where there is nothing to compare', () => {
    expect(columnShape(numbers(NaN), numbers(1))).toBeNaN();
    const { trend } = tableSimilarity({ a: numbers(1, 1), b: numbers(1, 2) }, { a: numbers(1, 2), b: numbers(1, 2) });
    expect(trend('a', 'b')).toBeNaN();
  });

  it('of different kinds are refused by name', () => {
    const named: ComparedColumn = { kind: 'category', codes: Int32Array.of(0), categories: ['a'] };
    expect(() => tableSimilarity({ x: numbers(1) }, { x: named })).toThrow(/"x" is numeric in one table, category/);
    expect(() => tableSimilarity({ x: numbers(1) }, {})).toThrow(/not there in the other/);
  });
});
