import { expect, it } from 'vitest';
import { columnMeans, evenly, takeRows } from '../matrix-rows.ts';

it('rows are taken evenly, the first among them, and all where they are few', () => {
  expect([...evenly(10, 4)]).toEqual([0, 2, 5, 7]);
  expect([...evenly(3, 5)]).toEqual([0, 1, 2]);
  expect([...evenly(0, 5)]).toEqual([]);
});

it('rows of a matrix come in the order given, also twice', () => {
  const x = { rows: 3, cols: 2, data: [1, 2, 3, 4, 5, 6] };
  expect(takeRows(x, [2, 0, 2])).toEqual({ rows: 3, cols: 2, data: Float64Array.from([5, 6, 1, 2, 5, 6]) });
});

it('means are of the cells that are there', () => {
  const x = { rows: 3, cols: 3, data: [1, NaN, NaN, 2, 5, NaN, 6, 7, NaN] };
  expect([...columnMeans(x)]).toEqual([3, 6, 0]);
});
