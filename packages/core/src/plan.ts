import type { ArtifactKind } from './artifact.ts';
import type { StageResources } from './stage.ts';

/** Version of the interpreter that a Plan and a state are written for. */
export const INTERPRETER = 1;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A value of the file, expressions kept as text: `"${{ params.rate }}"`. */
export type Value = Json;

export interface ParamPlan {
  type: 'number' | 'integer' | 'string' | 'boolean' | 'list' | 'object';
  default?: Json;
  minimum?: number;
  maximum?: number;
  enum?: Json[];
  description?: string;
}

export interface SchedulePlan {
  cron: string;
  timezone: string;
  overlap: 'skip' | 'buffer' | 'allow';
  /** Milliseconds. */
  catchupWindow?: number;
  params: Record<string, Json>;
}

export interface RetryPlan {
  maxAttempts: number;
  /** Milliseconds before the second attempt. */
  initialInterval: number;
  /** Factor from one wait to the next. */
  coefficient: number;
  /** Milliseconds. */
  maxInterval: number;
}

/** What an output of a stage is, after fan-out. */
export interface OutputPlan {
  kind: ArtifactKind;
  application?: string;
  /** A fan-out collects it as a list of artifacts instead of one. */
  list?: boolean;
  /** Metrics: paths that expressions read; the state keeps these and nothing else. `*` stands for any key. */
  keep?: string[][];
}

export interface FanOutPlan {
  kind: 'forEach' | 'sweep';
  /** Variable of the item or point. */
  as: string;
  maxParallel: number;
  /** forEach: what is gone through, as an expression or a list. */
  in?: Value;
  /** forEach: the parts of a dataset, or the items of a list. */
  over?: 'parts' | 'items';
  /** forEach: failures that are tolerated. @default { count: 0 } */
  failureBudget?: { count: number } | { percent: number };
  /** sweep: lists by name, every combination. */
  matrix?: Record<string, Value>;
  /** sweep: points in order. */
  values?: Value;
  select?: { metric: string; mode: 'min' | 'max' };
  until?: string;
}

export interface ApprovePlan {
  /** Milliseconds; without one it waits for ever. */
  timeout?: number;
  onTimeout: 'reject' | 'approve';
  message?: string;
}

export interface StagePlan {
  id: string;
  title?: string;
  /** Stage id of a plugin; groups have `stages` instead. */
  uses?: string;
  /** Folder that its relative sources start from, relative to that of the pipeline: stages of `uses: ./sub/other.yaml`. */
  dir?: string;
  /** Version of the manifest it was checked against. */
  version?: number;
  /** Inputs that must have a value when the stage starts. */
  required: string[];
  inputs: Record<string, Value>;
  options: Record<string, Value>;
  /** Stages of the same level that must settle before. */
  needs: string[];
  /** The part of `needs` that was written as such: order without data. */
  after: string[];
  outputs: Record<string, OutputPlan>;
  when?: string;
  onSkipped: 'skip' | 'run';
  fanOut?: FanOutPlan;
  gate?: string;
  approve?: ApprovePlan;
  /** Milliseconds the run stays open for a person after a failure. */
  onFailure?: { wait: number };
  retry: RetryPlan;
  timeout: { attempt?: number; heartbeat?: number };
  cache: boolean;
  resources: StageResources;
  group?: GroupPlan;
}

export interface GroupPlan {
  /** In an order in which they could run one after another. */
  stages: StagePlan[];
  outputs: Record<string, Value>;
  /** `uses: ./other.yaml`: the group sees its own params only, which `with` gives. */
  params?: Record<string, ParamPlan>;
  file?: string;
}

/** A compiled pipeline: JSON, checked, edges resolved, expressions kept. */
export interface Plan {
  interpreter: typeof INTERPRETER;
  name: string;
  title?: string;
  engine: string;
  seed: number;
  params: Record<string, ParamPlan>;
  schedule?: SchedulePlan;
  stages: StagePlan[];
  publish: Record<string, Value>;
  /** Names that `named(…)` reads: resolved and pinned when a run starts. `optional`: only within `first(…)`. */
  names: { name: string; optional: boolean }[];
}
