import type { ArtifactRef } from '@hourglass/core';
import { eachPart, openDataset, writeDataset, type DatasetReader, type Table } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import type { TableNoiseOptions } from '../noise-options.ts';
import { noisyCells, rowLevels } from './noisy-cells.ts';
import { inPlace, numberColumns, valuesOf } from './number-columns.ts';

const STAGE = 'denoising/corrupt';
const CHUNK = 16_384;

/** Noise on columns of numbers, in units of each column's deviation; other columns come through as they are. */
export async function corruptTable(
  context: StageContext,
  data: ArtifactRef,
  options: TableNoiseOptions & { columns?: string[]; exclude: string[] },
): Promise<ArtifactRef> {
  const { artifacts, seed } = context;
  const reader = await openDataset(artifacts, data);
  const names = numberColumns(reader, options, STAGE).map(({ name }) => name);
  const scales = await deviations(reader, names);
  const noisyTables = async function* (part: string, first: number): AsyncGenerator<Table> {
    for await (const chunk of reader.chunks(names, { part, rows: CHUNK })) {
      context.signal.throwIfAborted();
      const firstRow = first + chunk.offset;
      const strength = rowLevels(options.level, seed, firstRow, chunk.rows);
      const columns: Table['columns'] = {};
      for (const name of names)
        columns[name] = {
          kind: 'numeric',
          values: noisyCells(valuesOf(chunk, name), scales.get(name)!, options.noise, strength, {
            seed,
            name,
            firstRow,
          }),
        };
      yield { rows: chunk.rows, columns };
    }
  };
  const noisy = await writeDataset(artifacts, {
    columns: names.map((name) => ({ name, physical: 'DOUBLE' })),
    parts: eachPart(reader, ({ key }, firstRow) => noisyTables(key, firstRow)),
  });
  return inPlace(context, reader, noisy, new Set(names));
}

/** Population deviation of each column over its observed cells; 0 where it has none. In row order, so always the same. */
async function deviations(reader: DatasetReader, names: string[]): Promise<Map<string, number>> {
  const mean = await means(reader, names, (value) => value);
  const variance = await means(reader, names, (value, name) => (value - mean.get(name)!) ** 2);
  return new Map(names.map((name) => [name, Math.sqrt(variance.get(name)!)]));
}

async function means(
  reader: DatasetReader,
  names: string[],
  of: (value: number, name: string) => number,
): Promise<Map<string, number>> {
  const sums = new Map(names.map((name) => [name, { sum: 0, count: 0 }]));
  for await (const chunk of reader.chunks(names))
    for (const [name, total] of sums)
      for (const value of valuesOf(chunk, name)) {
        if (Number.isNaN(value)) continue;
        total.sum += of(value, name);
        total.count++;
      }
  return new Map([...sums].map(([name, { sum, count }]) => [name, count > 0 ? sum / count : 0]));
}
