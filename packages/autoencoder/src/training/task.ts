import type { DataArray, ParamArrays, ScheduleSpec, StepContext } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { Params } from '../network/layers.ts';
import type { RowSource } from './row-source.ts';

/** Loss and weight of each row `[b]`: a batch costs Σ loss / Σ weight. */
export interface RowLoss {
  loss: Tensor;
  weight: Tensor;
}

/** What a training optimises. */
export interface TrainingTask {
  params: ParamArrays;
  /** Parameters that are computed beforehand and stay as they are. @default none */
  frozen?: string[];
  /** In memory, or in blocks where they are too many. */
  data: Record<string, DataArray> | RowSource;
  /** Arrays of the same rows that are drawn anew for each epoch (1-based), beside data in memory. */
  drawn?(epoch: number): Record<string, DataArray>;
  /** Scored after every epoch, and before the first; decides when to stop and which weights to keep. */
  validation?: Record<string, DataArray>;
  /** Rows of it scored at once. @default the engine's own, thousands */
  validationBatch?: number;
  /** Frozen parameters that change by the epoch (1-based): their values in it. */
  scheduled?(epoch: number): Record<string, Float32Array>;
  /** Values of such parameters in validation, the same in every epoch so that losses compare. */
  judged?: Record<string, Float32Array>;
  /** `context.training` is false in validation. */
  rowLoss(batch: Record<string, Tensor>, params: Params, context: StepContext): RowLoss;
}

export interface TrainingOptions {
  epochs: number;
  batchSize: number;
  learningRate: number;
  schedule: ScheduleSpec['kind'];
  weightDecay: number;
  clipNorm: number;
  /** Epochs without a better validation loss before stopping. */
  patience: number;
  seed: number;
}

/** One epoch of the training curve; epoch 0 is the untrained network. */
export interface CurvePoint {
  epoch: number;
  /** Mean loss of the epoch's steps; absent at epoch 0. */
  loss?: number;
  validationLoss?: number;
  /** Of the epoch's last step; absent at epoch 0. */
  learningRate?: number;
}

export interface TrainingProgress extends CurvePoint {
  epochs: number;
  /** 0…1 of the epochs asked for. */
  fraction: number;
  /** Seconds left at the present pace, if it does not stop early. */
  eta: number;
}

export interface Trained {
  params: ParamArrays;
  curve: CurvePoint[];
  /** Epoch whose weights were kept. */
  bestEpoch: number;
  /** Loss of the last epoch trained. */
  loss: number;
  /** Of the weights kept; absent without validation. */
  validationLoss?: number;
  steps: number;
}
