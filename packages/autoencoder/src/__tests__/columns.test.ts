import { describe, expect, it } from 'vitest';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import { classCount, tableLayout, type TableEncoder } from '../columns/encoder.ts';
import { fitTable } from '../columns/fit.ts';
import { checkSchema } from '../columns/schema.ts';
import { names, numbers, sourceOf } from './support/workbench.ts';

const mixed = sourceOf(
  {
    colour: names(['red', 'green', null, 'red', 'blue', 'red']),
    size: numbers([1.5, 2.5, NaN, 4.5, 5.5, 100]),
    active: numbers([1, 0, 1, NaN, 1, 1]),
    count: numbers([1, 2, 3, 4, 5, NaN]),
    day: numbers([0, 1, 2, 400, 401, 402].map((day) => day * 86_400_000)),
  },
  {
    active: { type: 'boolean', physical: 'BOOLEAN' },
    count: { type: 'integer', physical: 'INTEGER' },
    day: { type: 'date', physical: 'DATE' },
  },
);

/** What the network would say if it were right. */
function perfect(encoder: TableEncoder, encoded: ReturnType<typeof encodeTable>) {
  const q = tableLayout(encoder).categories.length;
  return {
    rows: encoded.rows,
    values: encoded.x,
    probabilities: encoder.columns
      .filter((column) => column.kind === 'category')
      .map((column, k) => {
        const classes = classCount(column);
        const p = new Float32Array(encoded.rows * classes);
        for (let row = 0; row < encoded.rows; row++) {
          const code = encoded.codes[row * q + k]!;
          if (code >= 2) p[row * classes + code - 2] = 1;
        }
        return p;
      }),
  };
}

describe('a table of mixed types', () => {
  it('is learned as numbers, booleans, then categories', async () => {
    const { encoder } = await fitTable(mixed);
    expect(encoder.columns.map(({ name }) => name)).toEqual(['size', 'count', 'day', 'active', 'colour']);
    expect(tableLayout(encoder)).toEqual({
      numbers: 3,
      booleans: 1,
      cycles: [{ column: 2, width: 4 }],
      categories: [{ codes: 5, classes: 3 }],
    });
  });

  it('comes back cell by cell: numbers, whole numbers, booleans, days and names', async () => {
    const { encoder } = await fitTable(mixed);
    const decoded = decodeTable(encoder, perfect(encoder, encodeTable(encoder, mixed.all)));
    for (const [name, truth] of Object.entries(mixed.all.columns)) {
      const found = decoded.columns[name]!;
      if (truth.kind === 'numeric' && found.kind === 'numeric')
        truth.values.forEach((value, row) => {
          if (!Number.isNaN(value)) expect(found.values[row]).toBeCloseTo(value, 4);
          if (name === 'count' || name === 'day') expect(found.values[row]! % 1).toBe(0);
        });
      else if (truth.kind === 'category' && found.kind === 'category')
        truth.codes.forEach((code, row) => {
          if (code >= 0) expect(found.categories[found.codes[row]!]).toBe(truth.categories[code]);
        });
      else throw new Error(`${name} changed its kind`);
    }
  });

  it('shows missing cells as weight 0 and code 0, whatever value a real cell has', async () => {
    const { encoder } = await fitTable(mixed);
    const encoded = encodeTable(encoder, mixed.all);
    const weight = (row: number, column: string) =>
      encoded.w[row * 5 + encoder.columns.findIndex(({ name }) => name === column)];
    expect(weight(2, 'size')).toBe(0);
    expect(weight(2, 'colour')).toBe(0);
    expect(encoded.codes[2]).toBe(0);
    expect(weight(3, 'active')).toBe(0);
    expect(weight(0, 'size')).toBeGreaterThan(0);
  });

  it('is encoded alike whatever the order of rows and categories', async () => {
    const order = [5, 3, 1, 0, 2, 4];
    const shuffled = sourceOf(
      Object.fromEntries(
        Object.entries(mixed.all.columns).map(([name, data]) => [
          name,
          data.kind === 'numeric'
            ? { kind: 'numeric' as const, values: Float64Array.from(order, (row) => data.values[row]!) }
            : names(order.map((row) => (data.codes[row]! < 0 ? null : data.categories[data.codes[row]!]!))),
        ]),
      ),
      Object.fromEntries(mixed.columns.map((column) => [column.name, column])),
    );
    expect((await fitTable(shuffled)).encoder).toEqual((await fitTable(mixed)).encoder);
  });

  it('marks a category that training did not see as unknown', async () => {
    const { encoder } = await fitTable(mixed);
    const one = numbers([1]);
    const later = { rows: 1, columns: { size: one, active: one, count: one, day: one, colour: names(['violet']) } };
    const encoded = encodeTable(encoder, later);
    expect(encoded.codes[0]).toBe(1);
    expect(encoded.unknown).toEqual({ colour: 1 });
  });

  it('keeps delivered values inside the observed range and exact ones as they are', async () => {
    const { encoder } = await fitTable(sourceOf({ a: numbers([1, 2, 3, 4]) }));
    const far = { rows: 1, values: Float32Array.of(9), probabilities: [] };
    const delivered = decodeTable(encoder, far).columns.a!;
    const exact = decodeTable(encoder, far, { as: 'exact' }).columns.a!;
    expect(delivered.kind === 'numeric' && delivered.values[0]).toBe(4);
    expect(exact.kind === 'numeric' && exact.values[0]).toBeGreaterThan(4);
  });
});

describe('columns that need care', () => {
  const many = (n: number, distinct: number) => names(Array.from({ length: n }, (_, row) => `v${row % distinct}`));

  it('names a text column and the two ways out', async () => {
    const source = sourceOf({ review: many(100, 100), a: numbers(Array.from({ length: 100 }, (_, k) => k)) });
    await expect(fitTable(source)).rejects.toMatchObject({
      code: 'COLUMN_INVALID',
      message: expect.stringMatching(
        /"review" looks like text or an id: 100 different.*exclude: \[review\].*text: pass/,
      ),
    });
    const { encoder, notices } = await fitTable(source, { text: 'pass' });
    expect(encoder.ignored).toEqual(['review']);
    expect(notices[0]).toMatch(/passes through/);
  });

  it('hashes rare categories of a high-cardinality column and says so', async () => {
    const source = sourceOf({ city: many(2000, 400) });
    const { encoder, notices } = await fitTable(source, { maxCategories: 100 });
    expect(notices).toEqual([expect.stringMatching(/"city" has 400 categories: the 100 most frequent.*300 rarer/)]);
    expect(tableLayout(encoder).categories).toEqual([{ codes: 166, classes: 164 }]);
    const encoded = encodeTable(encoder, source.all);
    expect(encoded.unknown).toEqual({});
    expect(Math.max(...encoded.codes)).toBeLessThan(166);
  });

  it('refuses infinite cells by column and row', async () => {
    await expect(fitTable(sourceOf({ a: numbers([1, 2, Infinity, 4, -Infinity]) }))).rejects.toThrow(
      'column "a" holds 2 infinite values, the first in row 2',
    );
  });

  it('refuses numbers beyond double precision and nested columns by name and type', async () => {
    const source = sourceOf({ big: names(['1']) }, { big: { type: 'bigint', physical: 'HUGEINT' } });
    await expect(fitTable(source)).rejects.toThrow(/column "big" has type HUGEINT with values beyond double/);
  });

  it('offers the near name for a column that does not exist', async () => {
    await expect(fitTable(mixed, { exclude: ['colur'] })).rejects.toThrow(
      /no column "colur" \(did you mean "colour"\?\)/,
    );
  });

  it('says that a column is constant or empty, and leaves the empty one missing', async () => {
    const source = sourceOf({ a: numbers([1, 2, 3]), same: numbers([5, 5, 5]), none: numbers([NaN, NaN, NaN]) });
    const { encoder, notices } = await fitTable(source);
    expect(notices).toEqual([
      expect.stringContaining('"same" is constant'),
      expect.stringContaining('"none" has no value'),
    ]);
    const decoded = decodeTable(encoder, { rows: 1, values: new Float32Array(3), probabilities: [] });
    expect(decoded.columns.none).toEqual(numbers([NaN]));
    expect(decoded.columns.same).toEqual(numbers([5]));
  });

  it('learns codes that are numbers as categories when told to', async () => {
    const { encoder } = await fitTable(sourceOf({ zone: numbers([3, 1, 3, NaN]) }), { categorical: ['zone'] });
    expect(encoder.columns[0]).toMatchObject({ kind: 'category', categories: ['3', '1'], numeric: true });
    const decoded = decodeTable(encoder, {
      rows: 1,
      values: new Float32Array(0),
      probabilities: [Float32Array.of(0.2, 0.8)],
    });
    expect(decoded.columns.zone).toEqual(numbers([1]));
  });

  it('refuses a table without rows', async () => {
    await expect(fitTable(sourceOf({ a: numbers([]) }))).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });
});

describe('a table other than the one learned', () => {
  it('is refused naming every missing column and every changed type', async () => {
    const { encoder } = await fitTable(mixed);
    const columns = mixed.columns
      .filter(({ name }) => name !== 'size')
      .map((column) =>
        column.name === 'count' ? { ...column, type: 'string' as const, physical: 'VARCHAR' } : column,
      );
    expect(() => checkSchema(encoder, [...columns, { name: 'sice', type: 'float', physical: 'DOUBLE' }])).toThrow(
      /missing: size.*changed type: count \(was integer, is VARCHAR\).*not known to the model: sice/,
    );
  });

  it('is taken in another order, with wider numbers and with further columns, which is said', async () => {
    const { encoder } = await fitTable(mixed);
    const columns = mixed.columns
      .toReversed()
      .map((column) => (column.name === 'count' ? { ...column, type: 'float' as const, physical: 'DOUBLE' } : column));
    expect(checkSchema(encoder, columns)).toEqual([]);
    expect(checkSchema(encoder, [...columns, { name: 'more', type: 'float', physical: 'DOUBLE' }])).toEqual([
      expect.stringContaining('more'),
    ]);
  });
});
