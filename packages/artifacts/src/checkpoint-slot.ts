import { HourglassError } from '@hourglass/core';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-format.ts';
import type { ObjectInfo, StoreDriver } from './driver.ts';
import { hashBytes } from './hash-file.ts';
import type { CheckpointSlot } from './types.ts';

/**
 * A slot is a folder; every (owner, attempt) writes a file of its own there, so that not even a writer that slipped
 * past the fence can overwrite its successor's.
 */
export function checkpointSlot(
  driver: StoreDriver,
  warn: (message: string) => void,
  key: string,
  attempt: number,
  owner: string,
): CheckpointSlot {
  const slot = `checkpoints/${key}`;
  const lineage = hashBytes(owner).slice(0, 16);
  const fileOf = (n: number): string => `${slot}/${lineage}/${String(n).padStart(16, '0')}`;
  const own = `${fileOf(attempt)}.ckpt`;
  const claim = `${fileOf(attempt)}.claim`;

  async function files(): Promise<ObjectInfo[]> {
    const found: ObjectInfo[] = [];
    for await (const info of driver.list(slot)) found.push(info);
    return found;
  }

  /** Attempts of this owner that have shown themselves, by key. */
  const attemptsOf = (found: ObjectInfo[]): { key: string; n: number }[] =>
    found
      .filter((info) => info.key.startsWith(`${slot}/${lineage}/`))
      .map((info) => ({ key: info.key, n: Number.parseInt(info.key.slice(info.key.lastIndexOf('/') + 1), 10) }));

  return {
    async load() {
      const found = await files();
      const highest = Math.max(-1, ...attemptsOf(found).map(({ n }) => n));
      if (highest < attempt) await driver.put(claim, new Uint8Array());
      // Object storage tells times to the second: of two as old the later attempt, whose key sorts last, is the newer one.
      const newestFirst = found
        .filter((f) => f.key.endsWith('.ckpt'))
        .sort((a, b) => b.modified - a.modified || (a.key < b.key ? 1 : -1));
      for (const { key: file } of newestFirst) {
        const bytes = await driver.read(file);
        if (bytes === undefined) continue;
        const checkpoint = decodeCheckpoint(bytes);
        if (checkpoint !== undefined) return checkpoint;
        warn(
          `Checkpoint ${driver.location}/${file} is damaged and was passed over; the training continues from an earlier state.`,
        );
      }
      return undefined;
    },

    async save(checkpoint) {
      const others = attemptsOf(await files());
      const later = others.find(({ n }) => n > attempt);
      if (later !== undefined)
        throw new HourglassError(
          'CANCELLED',
          `Attempt ${attempt} was superseded by attempt ${later.n} of the same work; its checkpoint was not saved.`,
          { details: { attempt, by: later.n } },
        );
      await driver.put(own, encodeCheckpoint(checkpoint));
      for (const { key: file } of others) if (file !== own) await driver.delete(file);
    },

    async remove() {
      for (const { key: file } of await files()) await driver.delete(file);
    },
  };
}
