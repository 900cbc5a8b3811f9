import {
  permutation,
  type CompiledTraining,
  type DataArray,
  type Engine,
  type TrainingSpec,
  type TrainingState,
} from '@hourglass/engine';
import type { RowSource } from './row-source.ts';
import { planShards, shardOrder, type Shard } from './shards.ts';

/** A training that knows the order of each epoch, wherever its rows lie. */
export interface EpochTraining {
  stepsPerEpoch: number;
  /**
   * Trains batches from … to of an epoch, or fewer: it stops where the rows in memory end.
   * @returns loss of each batch trained
   */
  run(epoch: number, from: number, to: number): Promise<Float32Array>;
  readState(): Promise<TrainingState>;
  writeState(state: TrainingState): Promise<void>;
  dispose(): void;
}

/** All rows in memory. */
export async function wholeEpochs(
  engine: Engine,
  spec: Omit<TrainingSpec, 'data'>,
  data: Record<string, DataArray>,
  rows: number,
): Promise<EpochTraining> {
  const training = await engine.compileTraining({ ...spec, data });
  let shuffled: { epoch: number; order: Int32Array } = { epoch: -1, order: new Int32Array() };
  return {
    stepsPerEpoch: Math.ceil(rows / spec.batchSize),
    run(epoch, from, to) {
      if (shuffled.epoch !== epoch) shuffled = { epoch, order: permutation(rows, spec.seed, epoch) };
      return training.runSlice(shuffled.order, from, to);
    },
    readState: () => training.readState(),
    writeState: (state) => training.writeState(state),
    dispose: () => training.dispose(),
  };
}

interface Loaded {
  at: string;
  shard: Shard;
  data: Record<string, DataArray>;
  order: Int32Array;
}

/**
 * Rows in shards of bounded size: while one trains the next is read, so that two are in memory. The state goes from
 * shard to shard, and so do step count, learning rate and random numbers.
 */
export async function shardedEpochs(
  engine: Engine,
  spec: Omit<TrainingSpec, 'data'>,
  source: RowSource,
  epochs: number,
): Promise<EpochTraining> {
  const planOf = (epoch: number): Shard[] => planShards(source, spec.batchSize, spec.seed, epoch);
  let plan = { epoch: 1, shards: planOf(1) };
  const stepsPerEpoch = plan.shards.reduce((sum, { batches }) => sum + batches, 0);
  const read = async (epoch: number, shard: Shard): Promise<Loaded> => ({
    at: `${epoch}/${shard.firstBatch}`,
    shard,
    data: await source.read(shard.blocks),
    order: shardOrder(shard, spec.seed, epoch),
  });
  let ahead: { at: string; rows: Promise<Loaded> } | undefined;
  const readAhead = (epoch: number, shards: Shard[], place: number): void => {
    const [next, when] = shards[place + 1] ? [shards[place + 1]!, epoch] : [planOf(epoch + 1)[0]!, epoch + 1];
    if (when > epochs) return void (ahead = undefined);
    const rows = read(when, next);
    // Whoever waits for it hears of a failure; until then it is nobody's.
    rows.catch(() => undefined);
    ahead = { at: `${when}/${next.firstBatch}`, rows };
  };
  let current: { loaded: Loaded; training: CompiledTraining } | undefined;
  const enter = async (epoch: number, batch: number): Promise<{ loaded: Loaded; training: CompiledTraining }> => {
    if (plan.epoch !== epoch) plan = { epoch, shards: planOf(epoch) };
    const place = plan.shards.findLastIndex(({ firstBatch }) => firstBatch <= batch);
    const shard = plan.shards[place]!;
    const at = `${epoch}/${shard.firstBatch}`;
    if (current?.loaded.at === at) return current;
    const state = await current?.training.readState();
    current?.training.dispose();
    current = undefined;
    const loaded = await (ahead?.at === at ? ahead.rows : read(epoch, shard));
    readAhead(epoch, plan.shards, place);
    const training = await engine.compileTraining({ ...spec, data: loaded.data });
    if (state) await training.writeState(state);
    return (current = { loaded, training });
  };
  await enter(1, 0);
  return {
    stepsPerEpoch,
    async run(epoch, from, to) {
      const { loaded, training } = await enter(epoch, from);
      const { firstBatch, batches } = loaded.shard;
      return training.runSlice(loaded.order, from - firstBatch, Math.min(batches, to - firstBatch));
    },
    readState: () => current!.training.readState(),
    writeState: (state) => current!.training.writeState(state),
    dispose: () => current?.training.dispose(),
  };
}
