import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, writeDataset, type Table } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';

import { split } from '../split-manifest.ts';
import { run } from '../split.ts';

describe('data/split', () => {
  let folder: string;
  let artifacts: ArtifactStore;
  let data: ArtifactRef;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hourglass-split-'));
    ({ artifacts } = await openStore(join(folder, 'store')));
    const part = (key: string, from: number, rows: number): { key: string; tables: Table[] } => ({
      key,
      tables: [
        {
          rows,
          columns: {
            id: { kind: 'numeric', values: Float64Array.from({ length: rows }, (_, i) => from + i) },
            kind: {
              kind: 'category',
              categories: ['a', 'b'],
              codes: Int32Array.from({ length: rows }, (_, i) => i % 2),
            },
          },
        },
      ],
    });
    data = await writeDataset(artifacts, {
      columns: [
        { name: 'id', physical: 'INTEGER' },
        { name: 'kind', physical: 'VARCHAR' },
      ],
      parts: [part('north', 0, 70), part('south', 70, 30)],
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const divide = (options: Record<string, unknown>, seed = 1) =>
    run(fakeContext({ artifacts, seed }), { data }, split.options.parse(options));
  const ids = async (ref: ArtifactRef) => {
    const column = (await (await openDataset(artifacts, ref)).table(['id'])).columns.id!;
    return column.kind === 'numeric' ? [...column.values] : [];
  };

  it('loses no row, repeats none, keeps their order, types and parts', async () => {
    const { train, validation, test, counts } = await divide({ test: 0.2, validation: 0.1 });
    expect(counts).toEqual({ train: 70, validation: 10, test: 20 });
    const all = await Promise.all([train, validation, test].map(ids));
    expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    for (const each of all) expect(each).toEqual([...each].sort((a, b) => a - b));
    const reader = await openDataset(artifacts, train);
    expect(reader.columns.map((column) => column.physical)).toEqual(['INTEGER', 'VARCHAR']);
    expect(reader.parts.map((part) => part.key)).toEqual(['north', 'south']);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const [a, b, c] = [await divide({}), await divide({}), await divide({}, 2)];
    expect(a.test.digest).toBe(b.test.digest);
    expect(a.test.digest).not.toBe(c.test.digest);
  });

  it('refuses shares that leave nothing to train on, and a method without its column, by name', async () => {
    await expect(divide({ test: 0.6, validation: 0.5 })).rejects.toThrow(
      /test \+ validation below 1, found 0.6 \+ 0.5/,
    );
    await expect(divide({ method: 'group' })).rejects.toThrow(/method group needs the option `by`.*id, kind/);
    await expect(divide({ method: 'time', by: 'kind' })).rejects.toThrow(/column "kind" is text/);
    await expect(divide({ method: 'group', by: 'knd' })).rejects.toMatchObject({ code: 'COLUMN_NOT_FOUND' });
  });
});
