import { HourglassError } from '@hourglass/core';
import type { Column, ColumnData, DatasetReader } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';

/** A column whose values are all different: made anew, never learned. */
export interface UniqueColumn {
  name: string;
  /** Numbers count on; texts take characters seen at each place, or count on behind what all begin with. */
  kind: 'number' | 'text';
  /** First number given: above all that occurred. */
  from: number;
  /** Texts: what all begin with. */
  prefix?: string;
  /** Texts of one length: characters seen at each place. */
  places?: string[];
}

/**
 * How to make values of such columns. Numbers count on from the largest; texts of one length take at each place one of the
 * characters seen there, where that has room enough; others become what all begin with and a number.
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
  const above = (numbers: number[]): number => numbers.reduce((most, value) => Math.max(most, value), 0) + 1;
  if (typeof (values[0] ?? 0) === 'number') return { name, kind: 'number', from: above(values as number[]) };
  const texts = values as string[];
  const prefix = commonPrefix(texts);
  const numbers = texts.map((text) => Number(/\d*$/.exec(text)![0]));
  const { length } = texts[0]!;
  const places = Array.from({ length }, (_, place) => [...new Set(texts.map((text) => text[place]))].sort().join(''));
  return {
    name,
    kind: 'text',
    prefix,
    from: above(numbers),
    ...(texts.every((text) => text.length === length) ? { places } : {}),
  };
}

/** What all texts begin with before the first digit. */
function commonPrefix(texts: string[]): string {
  let prefix = /^\D*/.exec(texts[0]!)![0];
  while (prefix && !texts.every((text) => text.startsWith(prefix))) prefix = prefix.slice(0, -1);
  return prefix;
}

/** Makes values one after the other, by the seed. */
export interface UniqueMaker {
  name: string;
  next(rows: number): ColumnData;
}

export function uniqueMakers(columns: readonly UniqueColumn[], rows: number, seed: number): UniqueMaker[] {
  return columns.map(({ name, kind, from, prefix, places }, index) => {
    let at = from;
    if (kind === 'number')
      return { name, next: (n) => ({ kind: 'numeric', values: Float64Array.from({ length: n }, () => at++) }) };
    // Half empty, so that a draw that is taken already is soon followed by one that is not.
    if (!places || places.reduce((product, { length }) => product * length, 1) < 2 * rows)
      return { name, next: (n) => texts(n, () => `${prefix}${at++}`) };
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
