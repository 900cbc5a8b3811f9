import type { ArtifactRef } from './artifact.ts';
import type { ErrorJson } from './error.ts';
import type { StageResources } from './stage.ts';

/** One attempt-able piece of work: what a host hands to the stage runtime. Small, JSON, the same in every host. */
export interface StageTask {
  /** Address within the run: `train`, `regions[north].train`. */
  path: string;
  /** Stage id: `imputation/train`. */
  uses: string;
  /** Options with every expression resolved; zod defaults are filled in by the runtime. */
  options: Record<string, unknown>;
  inputs: Record<string, ArtifactRef>;
  /** hash(run seed, stage path without partition, partition key): unchanged by retries. */
  seed: number;
  /** Engine asked for by the pipeline or the call (`auto` unless named). */
  engine: string;
  resources: StageResources;
  /** Milliseconds. */
  timeout: { attempt?: number; heartbeat?: number };
  /** @default true */
  cache: boolean;
  attempt: number;
  /** Folder that relative sources start from, relative to `RunPlace.baseDir`; only where it differs. */
  dir?: string;
}

/** Where a pipeline lives and writes; needed to resolve `sources` and `sinks`. Occasion, never part of a digest. */
export interface RunPlace {
  /** Name of the pipeline. */
  pipeline: string;
  runId: string;
  /** Folder of the pipeline file: relative sources resolve against it. */
  baseDir: string;
  /** Folder that relative destinations resolve against. */
  outDir: string;
}

/** Parts of a cache key, kept beside the record so that a miss can be explained. Values are digests or small JSON. */
export interface CacheKeyParts {
  stage: string;
  version: string;
  options: Record<string, unknown>;
  inputs: Record<string, string>;
  sources: Record<string, string>;
  seed: number;
  engine?: string;
  libraries: Record<string, string>;
}

export type CacheAnswer =
  | { status: 'hit'; key: string; result: StageResult }
  /** `reason` is one line for people: `option epochs: 200 → 300`, `first run`, `out/x.parquet was edited`. */
  | {
      status: 'miss';
      key: string;
      reason: string;
      /** Known before running: the stage would fail with this (an option out of range, a source that is not there). */
      problem?: ErrorJson;
    };

export interface StageResult {
  outputs: Record<string, ArtifactRef>;
  /** Values of the outputs of kind metrics, by output name: what gates, `when` and `select` read. */
  metrics: Record<string, unknown>;
  /** Destinations written, with the digest of their content. */
  sinks?: Record<string, string>;
}

/** Facts of the occasion, beside the result and outside every digest. */
export interface StageOccasion {
  startedAt: string;
  finishedAt: string;
  cache: 'hit' | 'miss' | 'off';
  /** Engine that ran, when the stage computes with tensors. */
  engine?: string;
  pid?: number;
  peakMemory?: number;
}

export type StageOutcome =
  | { ok: true; result: StageResult; occasion: StageOccasion }
  | { ok: false; error: ErrorJson; retryable: boolean; occasion: StageOccasion };

export interface ProgressEvent {
  path: string;
  /** 0…1, or undefined when unknown. */
  fraction?: number;
  message: string;
  metrics?: Record<string, number>;
}
