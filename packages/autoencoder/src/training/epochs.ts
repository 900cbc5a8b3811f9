import {
  permutation,
  type CompiledTraining,
  type DataArray,
  type Engine,
  type TrainingSpec,
  type TrainingState,
} from '@hourglass/engine';
import type { RowSource } from './row-source.ts';
import { rowsOf } from './rows-of.ts';
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

/** All rows in memory, and beside them what each epoch draws anew. */
export async function wholeEpochs(
  engine: Engine,
  spec: Omit<TrainingSpec, 'data'>,
  data: Record<string, DataArray>,
  drawn?: (epoch: number) => Record<string, DataArray>,
): Promise<EpochTraining> {
  const rows = rowsOf(data);
  const training = await engine.compileTraining({ ...spec, data: { ...data, ...drawn?.(1) } });
  let shuffled = { epoch: 1, order: permutation(rows, spec.seed, 1) };
  const enter = async (epoch: number): Promise<void> => {
    if (shuffled.epoch === epoch) return;
    shuffled = { epoch, order: permutation(rows, spec.seed, epoch) };
    if (drawn) await training.writeData({ ...data, ...drawn(epoch) });
  };
  return {
    stepsPerEpoch: Math.ceil(rows / spec.batchSize),
    async run(epoch, from, to) {
      await enter(epoch);
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
 * Rows in shards of bounded size: while one trains the next is read, so that two are in memory. They go through one
 * training, compiled once, whose state, step count and random numbers do not know of shards.
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
  let training: CompiledTraining | undefined;
  let current: Omit<Loaded, 'data'> | undefined;
  const enter = async (epoch: number, batch: number): Promise<Omit<Loaded, 'data'>> => {
    if (plan.epoch !== epoch) plan = { epoch, shards: planOf(epoch) };
    const place = plan.shards.findLastIndex(({ firstBatch }) => firstBatch <= batch);
    const shard = plan.shards[place]!;
    const at = `${epoch}/${shard.firstBatch}`;
    if (current?.at === at) return current;
    current = undefined;
    const { data, ...loaded } = await (ahead?.at === at ? ahead.rows : read(epoch, shard));
    ahead = undefined;
    if (training) await training.writeData(data);
    else training = await engine.compileTraining({ ...spec, data });
    readAhead(epoch, plan.shards, place);
    return (current = loaded);
  };
  await enter(1, 0);
  return {
    stepsPerEpoch,
    async run(epoch, from, to) {
      const { shard, order } = await enter(epoch, from);
      const { firstBatch, batches } = shard;
      return training!.runSlice(order, from - firstBatch, Math.min(batches, to - firstBatch));
    },
    readState: () => training!.readState(),
    writeState: (state) => training!.writeState(state),
    dispose: () => training?.dispose(),
  };
}
