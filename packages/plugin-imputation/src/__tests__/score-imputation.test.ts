import type { Column, ColumnData, Table } from '@hourglass/dataset';
import { describe, expect, it } from 'vitest';
import { BASELINES, imputationMetrics } from '../metrics-schema.ts';
import { scoreImputation } from '../score-imputation.ts';

const numeric = (...values: number[]): ColumnData => ({ kind: 'numeric', values: Float64Array.from(values) });
const category = (...values: string[]): ColumnData => {
  const categories = [...new Set(values.filter((value) => value !== ''))];
  return { kind: 'category', codes: Int32Array.from(values, (value) => categories.indexOf(value)), categories };
};
const table = (columns: Record<string, ColumnData>): Table => {
  const first = Object.values(columns)[0]!;
  return { rows: first.kind === 'numeric' ? first.values.length : first.codes.length, columns };
};
const columns: Column[] = [
  { name: 'height', type: 'float', physical: 'DOUBLE' },
  { name: 'colour', type: 'string', physical: 'VARCHAR' },
  { name: 'member', type: 'boolean', physical: 'BOOLEAN' },
];
const truth = table({
  height: numeric(0, 10, 5, 2, Number.NaN),
  colour: category('red', 'red', 'blue', 'red', 'blue'),
  member: numeric(1, 0, 1, 1, 0),
});
const mask = table({
  height: numeric(0, 0, 1, 1, 1),
  colour: category('', '', '', '', ''),
  member: numeric(0, 1, 0, 0, 0),
});
mask.columns.colour = numeric(0, 0, 1, 1, 0);
const imputed = table({
  height: numeric(0, 10, 6, 2, 3),
  colour: category('red', 'red', 'red', 'red', 'blue'),
  member: numeric(1, 1, 1, 1, 0),
});

describe('scoreImputation', () => {
  it('scores numbers on the truth’s scale and classes by equality, hidden cells only', () => {
    const metrics = scoreImputation(columns, { truth, imputed, mask }, ['mean', 'mode']);
    // height: (6 − 5)/10 and 0; the cell without truth does not count. colour: one of two. member: none of one.
    expect(metrics.cells).toBe(5);
    expect(metrics.rmse).toBeCloseTo(Math.sqrt(0.01 / 2), 12);
    expect(metrics.mae).toBeCloseTo(0.05, 12);
    expect(metrics.accuracy).toBeCloseTo(1 / 3, 12);
    expect(metrics.columns.height).toMatchObject({ cells: 2, accuracy: null });
    expect(metrics.columns.colour).toMatchObject({ cells: 2, accuracy: 0.5, rmse: null });
    expect(metrics.columns.member).toMatchObject({ cells: 1, accuracy: 0 });
  });

  it('scores baselines on what is left: mean of 0 and 10 is 5', () => {
    const { baselines } = scoreImputation(columns, { truth, imputed, mask }, ['mean', 'median']);
    expect(baselines.mean?.rmse).toBeCloseTo(Math.sqrt((0 + 0.09) / 2), 12);
    // red is most frequent of the three colours left; true (1) of the members.
    expect(baselines.mean?.accuracy).toBeCloseTo(1 / 3, 12);
    expect(Object.keys(baselines)).toEqual(['mean', 'median']);
  });

  it('numbers that are names are right or wrong, not near or far', () => {
    const codes = table({ height: numeric(0, 10, 10, 3, 3) });
    const metrics = scoreImputation([columns[0]!], { truth, imputed: codes, mask }, ['mode'], ['height']);
    // 10 for 5 and 3 for 2: both wrong, however near.
    expect(metrics).toMatchObject({ rmse: null, accuracy: 0 });
    expect(metrics.columns.height).toMatchObject({ cells: 2, rmse: null, accuracy: 0 });
  });

  it('gives what its schema declares, with every baseline', () => {
    const metrics = scoreImputation(columns, { truth, imputed, mask }, BASELINES);
    expect(imputationMetrics.parse(metrics)).toEqual(metrics);
    expect(metrics.baselines.knn?.accuracy).toBeNull();
    expect(Object.keys(metrics.baselines)).toEqual([...BASELINES]);
  });

  it('gives null for numbers where a table has categories only', () => {
    const only = (full: Table): Table => table({ colour: full.columns.colour! });
    const metrics = scoreImputation([columns[1]!], { truth: only(truth), imputed: only(imputed), mask: only(mask) }, [
      'mode',
    ]);
    expect(metrics).toMatchObject({ rmse: null, accuracy: 0.5 });
  });

  it('names the column whose hidden cells were left empty', () => {
    const holes = { ...imputed, columns: { ...imputed.columns, height: numeric(0, 10, 6, Number.NaN, 3) } };
    expect(() => scoreImputation(columns, { truth, imputed: holes, mask }, [])).toThrow(
      /column height: expected every hidden cell to be filled, found 1 still empty \(the first in row 4\)/,
    );
  });

  it('says when the mask hides nothing', () => {
    const none = table({ height: numeric(0, 0, 0, 0, 0) });
    expect(() => scoreImputation(columns, { truth, imputed, mask: none }, [])).toThrow(/hides no cell/);
  });

  it('names a column that the imputed table lacks or holds as another type', () => {
    const { height: _, ...rest } = imputed.columns;
    expect(() => scoreImputation(columns, { truth, imputed: { rows: 5, columns: rest }, mask }, [])).toThrow(
      /column height: expected numbers .* found no such column/,
    );
  });
});
