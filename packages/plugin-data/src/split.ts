import { HourglassError, type ArtifactRef } from '@hourglass/core';
import {
  assignByTime,
  assignGroups,
  assignRandomly,
  assignStratified,
  openDataset,
  queryDataset,
  writeDataset,
  type Assignment,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';

import type { split } from './split-manifest.ts';

const SUBSETS = ['train', 'validation', 'test'] as const;

export const run: StageRun<typeof split> = async (context, { data }, options) => {
  const reader = await openDataset(context.artifacts, data);
  const { validation, test } = options;
  if (validation + test >= 1)
    throw new HourglassError(
      'OPTION_INVALID',
      `data/split: expected test + validation below 1, found ${test} + ${validation}. Leave some rows to train on.`,
    );
  const needed = validation > 0 ? 3 : 2;
  if (reader.rows < needed)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `data/split: expected at least ${needed} rows to divide, found ${reader.rows}.`,
    );
  const assignment = await assign(reader, options, { validation, test }, context.seed);
  const sizes = [0, 0, 0];
  for (const subset of assignment) sizes[subset]!++;

  const side = await writeDataset(context.artifacts, {
    columns: [{ name: 'subset', physical: 'UTINYINT' }],
    parts: reader.parts.map((part, i) => {
      const start = reader.parts.slice(0, i).reduce((sum, before) => sum + before.rows, 0);
      return { key: part.key, tables: [column(assignment.subarray(start, start + part.rows))] };
    }),
  });
  const subsets: Record<string, ArtifactRef> = {};
  for (const [i, name] of SUBSETS.entries()) {
    context.progress(i / SUBSETS.length, `${name}: ${sizes[i]} rows`);
    context.signal.throwIfAborted();
    subsets[name] = await queryDataset(context.artifacts, {
      inputs: { data, side },
      sql: `SELECT data.* FROM data POSITIONAL JOIN side WHERE side.subset = ${i}`,
      perPart: true,
    });
  }
  const { train, ...others } = subsets as Record<(typeof SUBSETS)[number], ArtifactRef>;
  return { train, ...others, counts: { train: sizes[0]!, validation: sizes[1]!, test: sizes[2]! } };
};

async function assign(
  reader: DatasetReader,
  { method, by }: { method: string; by?: string },
  fractions: Record<'validation' | 'test', number>,
  seed: number,
): Promise<Assignment> {
  if (method === 'random') return assignRandomly(reader.rows, fractions, seed);
  if (by === undefined)
    throw new HourglassError(
      'OPTION_INVALID',
      `data/split: method ${method} needs the option \`by\`: the column to go by. This table has ` +
        `${reader.columns
          .slice(0, 12)
          .map((each) => each.name)
          .join(', ')}${reader.columns.length > 12 ? ', …' : ''}.`,
    );
  const values = (await reader.table([by])).columns[by]!;
  if (method === 'time') {
    if (values.kind !== 'numeric')
      throw new HourglassError(
        'COLUMN_INVALID',
        `data/split: column "${by}" is text; method time needs dates, timestamps or numbers.`,
      );
    return assignByTime(values.values, fractions, by);
  }
  const keys =
    values.kind === 'numeric'
      ? Array.from(values.values, String)
      : Array.from(values.codes, (code) => (code < 0 ? '' : `=${values.categories[code]}`));
  return method === 'stratified' ? assignStratified(keys, fractions, seed) : assignGroups(keys, fractions, seed);
}

const column = (subset: Assignment): Table => ({
  rows: subset.length,
  columns: { subset: { kind: 'numeric', values: Float64Array.from(subset) } },
});
