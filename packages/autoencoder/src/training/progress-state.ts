import type { Checkpoint } from '@hourglass/artifacts';
import type { TrainingState } from '@hourglass/engine';
import type { CurvePoint } from './task.ts';

/** Where a training stands, everything its continuation depends on besides the options. */
export interface Position {
  /** Epoch being trained, 1-based; epochs + 1 when done. */
  epoch: number;
  /** Batches of that epoch already trained. */
  batch: number;
  /** Sum of the losses of those batches. */
  lossSum: number;
  curve: CurvePoint[];
  bestEpoch: number;
  /** Validation loss of the best epoch. */
  bestLoss?: number;
}

type Arrays = Record<string, Float32Array>;

/** Position, weights, optimizer moments and the best weights so far as one checkpoint. */
export function toCheckpoint(position: Position, state: TrainingState, best: Arrays | undefined): Checkpoint {
  return {
    arrays: {
      ...prefixed('params/', state.params),
      ...prefixed('slots/', state.slots),
      ...prefixed('best/', best ?? {}),
    },
    meta: { position: { ...position, curve: [...position.curve] }, step: state.step, hasBest: best !== undefined },
  };
}

/** The inverse of {@link toCheckpoint}. */
export function fromCheckpoint({ arrays, meta }: Checkpoint): {
  position: Position;
  state: TrainingState;
  best: Arrays | undefined;
} {
  return {
    position: meta.position as Position,
    state: { params: under('params/', arrays), slots: under('slots/', arrays), step: meta.step as number },
    best: meta.hasBest ? under('best/', arrays) : undefined,
  };
}

const prefixed = (prefix: string, arrays: Arrays): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, values]) => [prefix + name, values]));

/** The arrays whose names begin with `prefix`, without it. */
export const under = (prefix: string, arrays: Checkpoint['arrays']): Arrays =>
  Object.fromEntries(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, values]) => [name.slice(prefix.length), values as Float32Array]),
  );
