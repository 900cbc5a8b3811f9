import { HourglassError } from '@hourglass/core';
import type { Column, ColumnData, DatasetReader } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';

/** A column whose values are all different: made anew, never learned. */
export type UniqueColumn = { name: string } & (
  | { kind: 'number'; /** First value given: above all that occurred. */ from: number }
  | { kind: 'text'; /** Characters seen at each place. */ places: string[] }
);

/**
 * How to make values of such columns. Numbers count on from the largest; texts of one length take at each place one of the
 * characters seen there; other texts become `PREFIX` and a number.
 * @throws COLUMN_NOT_FOUND, OPTION_INVALID when values repeat
 */
export async function fitUnique(
  stage: string,
  reader: DatasetReader,
  names: readonly string[],
): Promise<UniqueColumn[]> {
  if (names.length === 0) return [];
  const table = await reader.table([...names]);
  return names.map((name) => {
    const column = reader.columns.find((each) => each.name === name)!;
    const values = valuesOf(table.columns[name]!);
    const repeated = values.length - new Set(values).size;
    if (repeated > 0)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: unique: column "${name}" repeats ${repeated} of its ${values.length} values, so it is no unique id; leave it out of unique`,
        { details: { column: name, repeated } },
      );
    return unique(column, values);
  });
}

const valuesOf = (data: ColumnData): (string | number)[] =>
  data.kind === 'numeric'
    ? [...data.values].filter((value) => !Number.isNaN(value))
    : [...data.codes].filter((code) => code >= 0).map((code) => data.categories[code]!);

function unique({ name }: Column, values: (string | number)[]): UniqueColumn {
  if (typeof (values[0] ?? 0) === 'number')
    return { name, kind: 'number', from: values.reduce<number>((most, value) => Math.max(most, Number(value)), 0) + 1 };
  const texts = values as string[];
  const { length } = texts[0]!;
  if (texts.some((text) => text.length !== length)) return { name, kind: 'text', places: [commonPrefix(texts)] };
  const places = Array.from({ length }, (_, place) => [...new Set(texts.map((text) => text[place]!))].sort().join(''));
  return { name, kind: 'text', places };
}

/** Letters all texts begin with, or `id`. */
const commonPrefix = (texts: string[]): string => {
  let prefix = /^\D*/.exec(texts[0]!)![0];
  while (prefix && !texts.every((text) => text.startsWith(prefix))) prefix = prefix.slice(0, -1);
  return prefix || 'id-';
};

/** Makes values one after the other, by the seed. */
export interface UniqueMaker {
  name: string;
  next(rows: number): ColumnData;
}

/** @throws DATA_INSUFFICIENT when a pattern has not room for `rows` values */
export function uniqueMakers(
  stage: string,
  columns: readonly UniqueColumn[],
  rows: number,
  seed: number,
): UniqueMaker[] {
  return columns.map((column, index) => {
    const { name } = column;
    if (column.kind === 'number') {
      let at = column.from;
      return { name, next: (n) => ({ kind: 'numeric', values: Float64Array.from({ length: n }, () => at++) }) };
    }
    let made = 0;
    const { places } = column;
    if (places.length === 1 && !/^.?$/u.test(places[0]!))
      return { name, next: (n) => texts(n, () => `${places[0]}${String(++made).padStart(String(rows).length, '0')}`) };
    const room = places.reduce((product, { length }) => product * length, 1);
    if (room < 2 * rows)
      throw new HourglassError(
        'DATA_INSUFFICIENT',
        `${stage}: the pattern of unique column "${name}" has room for ${room} values, ${rows} rows were asked for; ask for at most ${Math.floor(room / 2)}`,
        { details: { column: name, room } },
      );
    const random = hostRandom(seed, 31 + index);
    const taken = new Set<string>();
    return {
      name,
      next: (n) =>
        texts(n, () => {
          let text: string;
          do text = places.map((place) => place[Math.floor(random.uniform() * place.length)]!).join('');
          while (taken.has(text));
          taken.add(text);
          return text;
        }),
    };
  });
}

function texts(n: number, next: () => string): ColumnData {
  const categories = Array.from({ length: n }, next);
  return { kind: 'category', categories, codes: Int32Array.from({ length: n }, (_, i) => i) };
}
