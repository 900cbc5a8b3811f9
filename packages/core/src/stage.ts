import type { z } from 'zod';
import type { ArtifactRef, ArtifactType } from './artifact.ts';

export interface StageResources {
  /** The stage computes with tensors: its cache key carries the engine class. @default false */
  engine?: boolean;
  /** @default 'none' */
  accelerator?: 'none' | 'preferred' | 'required';
  /** The stage saves checkpoints and continues from them. @default false */
  checkpoint?: boolean;
  /** Memory limit of the stage process in MiB. @default 4096 */
  memory?: number;
}

export type ArtifactTypes = Record<string, ArtifactType>;

/**
 * What is known of a stage without loading its code: data only.
 * `imputation/train` is the `run` exported by `./train` of the package of the plugin `imputation`.
 */
export interface StageManifest<
  I extends ArtifactTypes = ArtifactTypes,
  O extends ArtifactTypes = ArtifactTypes,
  Opt extends z.ZodObject = z.ZodObject,
> {
  id: string;
  /** Raise when the same inputs and options give other outputs: part of the cache key. */
  version: number;
  summary: string;
  inputs: I;
  outputs: O;
  options: Opt;
  resources?: StageResources;
  /** Names of options that hold URIs the stage reads: their content enters the cache key. Paths are relative to the pipeline file. */
  sources?: readonly (keyof z.input<Opt> & string)[];
  /** Names of options that hold URIs the stage writes: a HIT only while they still hold what was written. Paths are relative to `--out`. */
  sinks?: readonly (keyof z.input<Opt> & string)[];
}

/** Declares a stage; input and option names must not collide, since `with:` holds both. */
export function defineStage<I extends ArtifactTypes, O extends ArtifactTypes, Opt extends z.ZodObject>(
  manifest: StageManifest<I, O, Opt>,
): StageManifest<I, O, Opt> {
  return manifest;
}

/** A plugin: its name (first half of its stages' ids) and its stages' manifests. Default export of the package. */
export interface PluginManifest {
  name: string;
  summary: string;
  stages: Record<string, StageManifest>;
}

/** Declares a plugin. `stages` keys are the second halves of the ids: `train` of `imputation/train`. */
export function definePlugin<const P extends PluginManifest>(plugin: P): P {
  return plugin;
}

/** Inputs of a stage's `run`: one ref each, `undefined` where optional and not connected. */
export type StageInputs<M extends StageManifest> = {
  [K in keyof M['inputs']]: M['inputs'][K] extends { optional?: true } ? ArtifactRef | undefined : ArtifactRef;
};

/** Resolved options of a stage's `run`, defaults filled in. */
export type StageOptions<M extends StageManifest> = z.output<M['options']>;

/** What a stage's `run` returns: metrics as plain values (the runtime checks and stores them), all else as refs. */
export type StageOutputs<M extends StageManifest> = {
  [K in keyof M['outputs']]: M['outputs'][K] extends ArtifactType<'metrics', infer S> ? z.input<S> : ArtifactRef;
};
