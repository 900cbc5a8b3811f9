import type { Column, DatasetReader } from '@hourglass/dataset';
import { describe, expect, it } from 'vitest';
import { columnsToCompare } from '../compared-table.ts';

/** Of a reader only its columns are looked at. */
const table = (...columns: Column[]): DatasetReader => ({ columns }) as DatasetReader;
const list = (name: string, length: number): Column => ({ name, type: 'vector', physical: 'FLOAT[]', length });
const number = (name: string, type: 'float' | 'integer'): Column => ({ name, type, physical: 'DOUBLE' });

describe('columnsToCompare', () => {
  it('takes lists of any length, and says when nothing is left', () => {
    const all = table(list('long', 3000), number('x', 'float'));
    const names = (exclude: string[]) =>
      columnsToCompare('evaluate', all, { real: all }, exclude).map(({ name }) => name);
    expect(names([])).toEqual(['long', 'x']);
    expect(names(['x'])).toEqual(['long']);
    expect(() => names(['x', 'long'])).toThrow(/no column is left to compare/);
  });

  it('says what the real table lacks', () => {
    const synthetic = table(number('x', 'float'), list('a', 3));
    const real = table(number('x', 'integer'), list('a', 4));
    expect(() => columnsToCompare('evaluate', synthetic, { real }, [])).toThrow(/`real` lacks a \(vector\)/);
  });
});
