import type { ArtifactRef } from './artifact.ts';
import type { ErrorJson } from './error.ts';
import type { CollectOutput } from './event.ts';
import type { INTERPRETER, Json } from './plan.ts';

/** An output of a settled stage: one artifact, or a list where a fan-out collects so. */
export type Output = ArtifactRef | ArtifactRef[];

export type StageStatus =
  /** Its dependencies have not settled. */
  | 'waiting'
  /** Working: see `body` or `fan`. */
  | 'active'
  /** Done but for a person's yes. */
  | 'approval'
  /** Failed, and the run is held open for a person (`onFailure: wait`). */
  | 'held'
  | 'done'
  | 'skipped'
  | 'failed'
  /** Not run, since something it needs failed. */
  | 'blocked'
  | 'cancelled';

export type BodyStatus =
  | 'lookup'
  /** An item that waits for its turn. */
  | 'queued'
  /** Ready, but the run is paused. */
  | 'ready'
  | 'running'
  /** Waits for its next attempt. */
  | 'backoff'
  /** A group's stages are at work. */
  | 'open'
  | 'done'
  | 'failed'
  | 'cancelled';

/** One execution of a stage or of a group: the stage itself, an item of a forEach, a point of a sweep. */
export interface BodyState {
  status: BodyStatus;
  attempt: number;
  /** Groups: the stages within, by id. */
  stages?: Record<string, StageState>;
  /** Groups: stages within that have not settled. */
  open?: number;
  outputs?: Record<string, Output>;
  /** Metrics kept, by output. */
  metrics?: Record<string, Json>;
  cache?: 'hit' | 'miss' | 'off';
  /** Why it runs: `first run`, `option epochs: 200 → 300`. */
  reason?: string;
  error?: ErrorJson;
  /** Milliseconds since the epoch: the end of a backoff. */
  until?: number;
  /** An item that counts among the active ones of its fan-out. */
  started?: boolean;
  /** A part or an item of the fan-out. */
  item?: Json | ArtifactRef;
}

/** Up to `PAGE_SIZE` items of a fan-out. When all have settled, their results are folded and the items dropped. */
export interface FanPage {
  /** Keys in order; dropped when the page is folded. */
  keys?: string[];
  bodies?: Record<string, BodyState>;
  /** Items whose cache key is being looked up. */
  lookups: number;
  /** Keys of items that wait for their turn. */
  queue: string[];
  /** Items that have not settled. */
  open: number;
  status: 'open' | 'collecting' | 'folded';
  /** What is being collected, to ask for it again after a restart. */
  collect?: Record<string, CollectOutput>;
  /** Results of the items, by output: one collected artifact, or the list. */
  outputs?: Record<string, Output>;
  /** Keys of items that failed, in order. */
  missing?: string[];
  /** Metrics kept of each item, by output, then key. */
  metrics?: Record<string, Record<string, Json>>;
}

export interface FanState {
  status: 'running' | 'collecting' | 'folded';
  total: number;
  /** Items on the pages opened so far. */
  cursor: number;
  /** Items started and not settled. */
  active: number;
  done: number;
  failed: number;
  /** Of those done: taken from the cache as a whole. */
  hits: number;
  /** Pages that are not folded. */
  openPages: number;
  /** A page of parts is being listed. */
  listing?: boolean;
  pages: FanPage[];
  /** The first failures, for people. */
  errors: { key: string; error: ErrorJson }[];
  /** Dataset whose parts are gone through. */
  source?: ArtifactRef;
  /** Keys of all items that failed, once collected. */
  missing?: string[];
  /** sweep: the point selected. */
  selected?: string;
  /** sweep: all points in order, for people. */
  points?: PointState[];
  /** No further item is started: there were nothing but failures. */
  stopped?: boolean;
  /** A person gave it up: it ends when nothing of it runs any more. */
  cancelled?: boolean;
}

export interface PointState {
  key: string;
  value: Json;
  status: 'done' | 'failed' | 'cancelled';
  outputs?: Record<string, Output>;
  metrics?: Record<string, Json>;
  /** Value of the metric that selects. */
  score?: number | null;
  error?: ErrorJson;
  /** `until` holds for it. */
  satisfied?: boolean;
}

export interface StageState {
  status: StageStatus;
  /** Dependencies that have not settled yet. */
  pending: number;
  /** Milliseconds since the epoch, as the host's events say. */
  startedAt?: number;
  finishedAt?: number;
  body?: BodyState;
  fan?: FanState;
  outputs?: Record<string, Output>;
  /** Values of metrics outputs, by output: the paths that the plan's expressions read. */
  metrics?: Record<string, Json>;
  error?: ErrorJson;
  cache?: 'hit' | 'miss' | 'off';
  /** Why it was computed: `first run`, `option epochs: 200 → 300`. */
  reason?: string;
  attempts?: number;
  /** Why it was skipped or blocked; what the gate compared. */
  note?: string;
  /** End of an approval's or a held stage's time. */
  until?: number;
  decision?: { approved: boolean; by: string; reason?: string };
  /** Options changed by a person's retry. */
  overrides?: Record<string, Json>;
}

export interface RunInfo {
  id: string;
  /** ISO 8601. */
  scheduledAt: string;
  partition: string;
}

export interface PinnedName {
  version: number;
  ref: ArtifactRef;
}

/** Everything a run is: small JSON. */
export interface RunState {
  interpreter: typeof INTERPRETER;
  pipeline: string;
  run: RunInfo;
  seed: number;
  engine: string;
  params: Record<string, Json>;
  /** `named(…)` as resolved at the start. */
  names: Record<string, PinnedName>;
  /** Paths (without keys) of the stages that take part; all when absent. */
  only?: string[];
  /** Paths (without keys) of the stages whose results are computed anew: `true` for all. */
  force: true | string[];
  /** Nobody is there to ask: `onFailure: wait` fails at once. */
  unattended: boolean;
  /** Options changed for this run (`retry --with train.epochs=50`), by stage path without keys. */
  overrides: Record<string, Record<string, Json>>;
  status: 'new' | 'running' | 'publishing' | 'succeeded' | 'failed' | 'cancelled';
  paused: boolean;
  cancelled: boolean;
  /** Number of events applied. */
  sequence: number;
  stages: Record<string, StageState>;
  /** Stages of the top level that have not settled. */
  open: number;
  /** The first failure: its code decides the exit code. */
  error?: ErrorJson & { path?: string };
  published: Record<string, { ref: ArtifactRef; version?: number; done: boolean }>;
  startedAt?: number;
  finishedAt?: number;
}
