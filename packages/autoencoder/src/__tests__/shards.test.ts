import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Table } from '@hourglass/dataset';
import { resolveEngine } from '@hourglass/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareLesson } from '../application/learn.ts';
import { openSpool } from '../application/spool.ts';
import type { TableSource } from '../columns/fit.ts';
import { encodeTable } from '../columns/encode.ts';
import { tableLayout } from '../columns/encoder.ts';
import { toData } from '../model/data.ts';
import type { RowSource } from '../training/row-source.ts';
import { planShards, shardOrder } from '../training/shards.ts';
import { filling, identity, learn, lowRank, optionsOf } from './support/learning.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'autoencoder-shards-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));
const place = { tempPath: async (suffix: string) => join(folder, `${Math.random()}${suffix}`) };

/** A source that reads `size` rows at a time. */
function chunked(source: TableSource & { all?: Table }, size: number): TableSource {
  return {
    ...source,
    async *chunks() {
      const { rows, columns } = await source.table();
      for (let from = 0; from < rows; from += size) {
        const to = Math.min(rows, from + size);
        const cut = Object.entries(columns).map(([name, data]) => [
          name,
          data.kind === 'numeric'
            ? { kind: 'numeric' as const, values: data.values.slice(from, to) }
            : { ...data, codes: data.codes.slice(from, to) },
        ]);
        yield { rows: to - from, columns: Object.fromEntries(cut) };
      }
    },
  };
}

// 8 columns: 64 bytes a row; 24 000 rows are 1.5 MiB, more than a shard of 1 MiB.
const ROWS = 24_000;
const options = optionsOf({ width: 8, latentDim: 3, epochs: 2, batchSize: 512, shardMiB: 1, learningRate: 0.01 });

describe('shards of an epoch', () => {
  const source: Omit<RowSource, 'read'> = { rows: 10_300, blockRows: 1000, rowBytes: 8, shardBytes: 24_500 };

  it('hold every row once, whole batches but for one, in another order each epoch', () => {
    for (const epoch of [1, 2, 3]) {
      const shards = planShards(source, 100, 7, epoch);
      expect(shards.map(({ rows }) => rows).reduce((a, b) => a + b)).toBe(10_300);
      expect(shards.flatMap(({ blocks }) => blocks).sort((a, b) => a - b)).toEqual([...Array(11).keys()]);
      expect(Math.max(...shards.map(({ rows }) => rows * 8))).toBeLessThanOrEqual(24_500);
      expect(shards.reduce((sum, { batches }) => sum + batches, 0)).toBe(103);
      shards.forEach((shard, k) =>
        expect(shard.firstBatch).toBe(shards.slice(0, k).reduce((sum, { batches }) => sum + batches, 0)),
      );
      const rows = shardOrder(shards[0]!, 7, epoch);
      expect([...rows].sort((a, b) => a - b)).toEqual([...Array(shards[0]!.rows).keys()]);
    }
    const blocks = (seed: number, epoch: number) =>
      planShards(source, 100, seed, epoch).flatMap((shard) => shard.blocks);
    expect(blocks(7, 1)).toEqual(blocks(7, 1));
    expect(blocks(7, 2)).not.toEqual(blocks(7, 1));
    expect(blocks(8, 1)).not.toEqual(blocks(7, 1));
  });

  it('come back from disk as they were encoded, in whatever order of blocks', async () => {
    const table = lowRank(3000, 5, 2);
    const { encoder } = await prepareLesson(identity, table, options, 1);
    const encoded = encodeTable(encoder, await table.table());
    const spool = await openSpool(join(folder, 'spool'), tableLayout(encoder), 10);
    await spool.append(encoded);
    const rows = spool.source(1e6);
    expect(rows.rows).toBe(3000);
    const blocks = Array.from({ length: Math.ceil(3000 / rows.blockRows) }, (_, k) => k);
    expect(await rows.read(blocks)).toEqual(toData(encoded));
    await spool.close();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('training on more rows than fit in memory', () => {
  it.each([
    ['rows', identity],
    ['cells', filling],
  ] as const)('learns as well as in memory, validating by %s', async (_, application) => {
    const engine = await resolveEngine('onnxruntime');
    const table = chunked(lowRank(ROWS, 8, 3), 7000);
    const sharded = await prepareLesson(application, table, options, 5, place);
    expect(sharded.notices[0]).toMatch(/rows are trained on in shards of 1 MiB \(shardMiB\), 1 MiB in all/);
    expect(sharded.split.rows!.rows).toBeGreaterThan(0.45 * ROWS);
    const whole = await prepareLesson(application, table, { ...options, shardMiB: 64 }, 5, place);
    expect(whole.split.rows).toBeUndefined();
    const [a, b] = [await learn(engine, sharded), await learn(engine, whole)];
    expect(a.trained.validationLoss! / b.trained.validationLoss!).toBeGreaterThan(0.7);
    expect(a.trained.validationLoss! / b.trained.validationLoss!).toBeLessThan(1.4);
    await sharded.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not look for near rows, which are in memory or nowhere, and leaves nothing behind', async () => {
    const near = { ...identity, contrast: () => 1, neighbours: () => 5 };
    await expect(prepareLesson(near, chunked(lowRank(ROWS, 8, 3), 7000), options, 5, place)).rejects.toThrow(
      /neighbours: .* 2 MiB here, more than shardMiB: 1; set shardMiB to 2 or more/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives the same weights however the table is read, and after a resume in the middle of a shard', async () => {
    const engine = await resolveEngine('onnxruntime');
    const lessonOf = (size: number) =>
      prepareLesson(filling, chunked(lowRank(ROWS, 8, 3), size), { ...options, ensemble: 1 }, 5, place);
    const [first, second] = [await lessonOf(7000), await lessonOf(9999)];
    const { trained } = await learn(engine, first);
    const stop = new AbortController();
    const stopped = learn(engine, second, {
      sliceMs: 1,
      checkpointMs: 0,
      signal: stop.signal,
      save: async (checkpoint) => {
        // In the second epoch, in its second shard.
        const { epoch, batch } = checkpoint.meta.position as { epoch: number; batch: number };
        if (epoch === 2 && batch > 40) {
          saved ??= structuredClone(checkpoint);
          stop.abort();
        }
      },
    });
    let saved: Parameters<typeof structuredClone>[0];
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(saved).toBeDefined();
    const resumed = await learn(engine, second, { resume: saved as never });
    expect(resumed.trained.params).toEqual(trained.params);
    await Promise.all([first.close(), second.close()]);
  });

  it('is the training in memory, bit for bit, when a shard holds everything', async () => {
    const engine = await resolveEngine('onnxruntime');
    const table = chunked(lowRank(4000, 8, 3), 1500);
    const [with1, without] = [
      await prepareLesson(identity, table, { ...options, epochs: 1 }, 5, place),
      await prepareLesson(identity, table, { ...options, epochs: 1, shardMiB: 999 }, 5),
    ];
    expect((await learn(engine, with1)).trained.params).toEqual((await learn(engine, without)).trained.params);
  });
});
