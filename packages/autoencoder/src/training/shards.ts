import { deriveSeed } from '@hourglass/core';
import { permutation } from '@hourglass/engine';
import type { RowSource } from './row-source.ts';

/** Rows of an epoch that are in memory together. */
export interface Shard {
  blocks: number[];
  rows: number;
  /** First batch in the epoch, and how many. */
  firstBatch: number;
  batches: number;
}

/**
 * An epoch in shards: blocks in an order of their own each epoch, as many together as fit; within a shard the rows are
 * shuffled again ({@link shardOrder}). Two levels, both by the seed: nearly the mixing of a full shuffle, with reads of
 * whole blocks.
 *
 * @returns the same number of batches every epoch: all blocks but one hold whole batches
 */
export function planShards(
  { rows, blockRows, rowBytes, shardBytes }: Omit<RowSource, 'read'>,
  batchSize: number,
  seed: number,
  epoch: number,
): Shard[] {
  const blocks = Math.ceil(rows / blockRows);
  const together = Math.max(1, Math.floor(shardBytes / (rowBytes * blockRows)));
  const order = permutation(blocks, deriveSeed(seed, 'blocks'), epoch);
  const shards: Shard[] = [];
  let firstBatch = 0;
  for (let start = 0; start < blocks; start += together) {
    const chosen = [...order.subarray(start, start + together)];
    const held = chosen.reduce((sum, block) => sum + Math.min(blockRows, rows - block * blockRows), 0);
    const batches = Math.ceil(held / batchSize);
    shards.push({ blocks: chosen, rows: held, firstBatch, batches });
    firstBatch += batches;
  }
  return shards;
}

/** Order of the rows within a shard. */
export const shardOrder = (shard: Shard, seed: number, epoch: number): Int32Array =>
  permutation(shard.rows, deriveSeed(seed, `shard/${shard.firstBatch}`), epoch);
