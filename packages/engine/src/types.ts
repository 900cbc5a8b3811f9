import type { Scalar, Tensor } from '@tensorflow/tfjs';

export type EngineName = 'tensorflow' | 'onnxruntime' | 'webgpu' | 'wasm' | 'cpu';

/** Values that stay with the engine while training: `[n, …shape]` row-major. */
export type DataArray =
  { dtype: 'float32'; shape: number[]; values: Float32Array } | { dtype: 'int32'; shape: number[]; values: Int32Array };

/** Named initial values of the trainable parameters. */
export type ParamArrays = Record<string, { shape: number[]; values: Float32Array }>;

/**
 * Random numbers inside a step. Counter-based and keyed by (seed, step, order of the call), so that every engine
 * draws the same numbers and a resumed training draws what an undisturbed one would have.
 */
export interface StepRandom {
  /** U[0, 1), float32. */
  uniform(shape: number[]): Tensor;
  /** N(0, 1), float32. */
  normal(shape: number[]): Tensor;
  /** 1 with probability `p`, else 0, float32. */
  bernoulli(shape: number[], p: number): Tensor;
}

export interface StepContext {
  random: StepRandom;
  /** False when the loss is evaluated for validation: no dropout, no noise unless the loss wants it. */
  training: boolean;
  /**
   * Gives a buffer of the training (`TrainingSpec.buffers`) the value it has after this step; until then it keeps the
   * one before. Outside a training there is nothing to change, and nothing happens.
   *
   * @param buffer the tensor as it was handed to the step in `params`
   * @throws CALL_INVALID a tensor that is no buffer, a value of another shape, a second value in one step
   */
  update(buffer: Tensor, value: Tensor): void;
}

/** Written once in ordinary tfjs: no values read back, no shapes that depend on values, no tf.random*. */
export type LossFunction = (
  batch: Record<string, Tensor>,
  params: Record<string, Tensor>,
  context: StepContext,
) => Scalar;

/** Forward pass in ordinary tfjs, same rules. */
export type ForwardFunction = (
  batch: Record<string, Tensor>,
  params: Record<string, Tensor>,
  context: StepContext,
) => Record<string, Tensor>;

export interface OptimizerSpec {
  kind: 'adamw' | 'adam' | 'sgd';
  /** Decoupled weight decay (adamw). @default 0 */
  weightDecay?: number;
  /** Parameters whose names match none of these get weight decay. @default biases, norms and embeddings are left out */
  noDecay?: RegExp;
  /** @default 0.9 */
  beta1?: number;
  /** @default 0.999 */
  beta2?: number;
  /** @default 1e-8 */
  epsilon?: number;
  /** sgd. @default 0 */
  momentum?: number;
  /** Clip gradients by global norm. */
  clipNorm?: number;
}

/** Learning rate of step t (0-based), a pure function of JSON so that it can be stored and compiled. */
export type ScheduleSpec =
  | { kind: 'constant'; rate: number }
  | { kind: 'cosine'; rate: number; totalSteps: number; warmupSteps?: number; finalRate?: number }
  | {
      kind: 'one-cycle';
      rate: number;
      totalSteps: number;
      warmupFraction?: number;
      startFactor?: number;
      finalFactor?: number;
    };

export interface TrainingSpec {
  params: ParamArrays;
  /** Names of parameters that stay as they are: no gradient, no moments; `readState` gives them with the others. */
  frozen?: string[];
  /**
   * Names of parameters that the step itself replaces by `context.update`, once in each step, and that no gradient
   * changes: running statistics. Checkpoints and resumed trainings carry them with the others.
   */
  buffers?: string[];
  loss: LossFunction;
  data: Record<string, DataArray>;
  batchSize: number;
  optimizer: OptimizerSpec;
  schedule: ScheduleSpec;
  seed: number;
}

/** Everything a training needs to continue bit-identically on the same engine. */
export interface TrainingState {
  params: Record<string, Float32Array>;
  /** Optimizer moments: `m/NAME`, `v/NAME`. */
  slots: Record<string, Float32Array>;
  /** Steps taken. */
  step: number;
}

export interface CompiledTraining {
  /**
   * Trains the batches `from` (inclusive) to `to` (exclusive) of an epoch whose rows come in `order`; the last batch of the
   * order may be smaller. Slices do not change results. @returns loss of each step
   */
  runSlice(order: Int32Array, from: number, to: number): Promise<Float32Array>;
  readState(): Promise<TrainingState>;
  writeState(state: TrainingState): Promise<void>;
  /**
   * Puts other rows in the place of the data, as many as there are; orders of rows given from now on mean these. Nothing
   * is compiled again, so that an epoch can go over data larger than memory. @throws CALL_INVALID arrays of other names,
   * types or shapes of a row
   */
  writeData(data: Record<string, DataArray>): Promise<void>;
  dispose(): void;
}

/**
 * A forward pass ready to run on batches of any number of rows. Its random numbers are the same in every run and do not
 * depend on the size of the batches, as long as the first dimension of a draw counts rows.
 */
export interface CompiledForward {
  /** `inputs`: `[n, …]` each, same n. Runs in batches of bounded size. */
  run(inputs: Record<string, DataArray>): Promise<Record<string, DataArray>>;
  /** Puts other values into the parameters, so that a net can be judged while it learns. @throws CALL_INVALID */
  writeParams(params: Record<string, Float32Array>): Promise<void>;
  dispose(): void;
}

export interface ForwardSpec {
  params: ParamArrays;
  forward: ForwardFunction;
  /** Rows a native call takes at the most. @default 4096 */
  batchSize?: number;
  /** Seed of `context.random`. @default 0 */
  seed?: number;
}

/** What enters cache keys, known without loading the engine. */
export interface EngineIdentity {
  name: EngineName;
  /** Same class, same bytes (`tfjs-wasm-4.22.0-simd`, `tensorflow-2.21.0-cpu`). */
  class: string;
  /** Versions of the numerical libraries behind it. */
  libraries: Record<string, string>;
}

export interface Engine extends EngineIdentity {
  /** Why this engine was chosen, for people. */
  reason?: string;
  compileTraining(spec: TrainingSpec): Promise<CompiledTraining>;
  compileForward(spec: ForwardSpec): Promise<CompiledForward>;
}

/** One engine as `doctor` and `engine list` show it. */
export interface EngineStatus {
  name: EngineName;
  available: boolean;
  /** Why it is (not) there. */
  reason: string;
  /** What to do to get it. */
  remedy?: string;
}
