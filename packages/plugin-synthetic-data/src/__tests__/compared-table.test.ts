import type { Column, DatasetReader } from '@hourglass/dataset';
import { describe, expect, it } from 'vitest';
import { columnsToCompare, readCompared } from '../compared-table.ts';

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

  it('takes of long lists elements evenly spread, all of short ones', async () => {
    const read = async (...lengths: number[]) => {
      const names = lengths.map((_, k) => `list${k}`);
      const vectors = Object.fromEntries(
        names.map((name, k) => [
          name,
          { length: lengths[k]!, values: Float32Array.from({ length: lengths[k]! }, (_, j) => j) },
        ]),
      );
      const columns = names.map((name, k) => list(name, lengths[k]!));
      const reader = { rows: 1, columns, table: async () => ({ rows: 1, columns: {}, vectors }) };
      return (await readCompared(reader as unknown as DatasetReader, { names, categorical: new Set() }, 10)).columns;
    };
    expect(Object.keys(await read(3))).toEqual(['list0[1]', 'list0[2]', 'list0[3]']);
    const columns = await read(3000, 2);
    expect(Object.keys(columns)).toHaveLength(512 + 2);
    expect(Object.keys(columns).slice(0, 3)).toEqual(['list0[1]', 'list0[6]', 'list0[12]']);
    expect(columns['list0[6]']).toEqual({ kind: 'numeric', values: Float64Array.of(5) });
  });

  it('says what the real table lacks', () => {
    const synthetic = table(number('x', 'float'), list('a', 3));
    const real = table(number('x', 'integer'), list('a', 4));
    expect(() => columnsToCompare('evaluate', synthetic, { real }, [])).toThrow(/`real` lacks a \(vector\)/);
  });
});
