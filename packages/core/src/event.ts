import type { ArtifactKind, ArtifactRef } from './artifact.ts';
import type { ErrorJson } from './error.ts';
import type { Json } from './plan.ts';
import type { CacheAnswer, StageResult, StageTask } from './task.ts';

/** What hosts tell the reducer. `at`: milliseconds since the epoch by the host's clock. */
export type RunEvent = { at: number } & (
  | { type: 'start' }
  /** The host begins again from a saved state: everything outstanding is asked for once more. */
  | { type: 'resumed' }
  | { type: 'looked-up'; answers: { path: string; answer: CacheAnswer }[] }
  | { type: 'finished'; path: string; attempt: number; result: StageResult }
  | { type: 'failed'; path: string; attempt: number; error: ErrorJson; retryable: boolean }
  | { type: 'timer'; path: string; timer: Timer }
  | { type: 'listed'; path: string; offset: number; total: number; items: PartItem[] }
  | { type: 'list-failed'; path: string; error: ErrorJson }
  | { type: 'collected'; path: string; page: number | 'all'; outputs: Record<string, ArtifactRef> }
  | { type: 'collect-failed'; path: string; error: ErrorJson }
  | { type: 'published'; name: string; version: number }
  | { type: 'publish-failed'; name: string; error: ErrorJson }
  /** No to a stage that failed and is held open gives it up. */
  | { type: 'approve' | 'reject'; path: string; by: string; reason?: string }
  | { type: 'retry-stage'; path: string; options?: Record<string, Json>; by?: string }
  | { type: 'skip-stage'; path: string; by?: string }
  | { type: 'cancel-stage'; path: string; by?: string }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'cancel' }
);

/** Which wait of a stage has ended. */
export type Timer = 'backoff' | 'approval' | 'held';

/** One part of a dataset, as a dataset of its own. */
export interface PartItem {
  key: string;
  ref: ArtifactRef;
}

export interface CollectEntry {
  /** Key of the item; absent when the ref is itself a collection of one page. */
  key?: string;
  ref: ArtifactRef;
}

/** What becomes one artifact: entries in order, keys of the items that failed. */
export interface CollectOutput {
  kind: ArtifactKind;
  entries: CollectEntry[];
  missing: string[];
}

/** What the reducer asks of a host. Every command is answered by an event, `cancel` and `ask` excepted. */
export type RunCommand =
  /** Answer with `looked-up`. Never waits behind running stages. */
  | { type: 'lookup'; tasks: StageTask[] }
  /** Answer with `finished` or `failed` of the same path and attempt. */
  | { type: 'run'; task: StageTask }
  /** Stop running stages; they answer with `failed`, code CANCELLED. */
  | { type: 'cancel'; paths: string[] }
  /** Answer with `timer` when the host's clock reaches `until`. */
  | { type: 'wait'; path: string; timer: Timer; until: number }
  /** A person is asked; `approve` or `reject` answers. */
  | { type: 'ask'; path: string; message: string; until?: number }
  /** Answer with `listed`: parts `offset … offset + limit` of a dataset. */
  | { type: 'list'; path: string; ref: ArtifactRef; offset: number; limit: number }
  /** Answer with `collected`: one artifact an output, of the entries in order. */
  | {
      type: 'collect';
      path: string;
      page: number | 'all';
      outputs: Record<string, CollectOutput>;
    }
  /** Answer with `published` or `publish-failed`. */
  | { type: 'publish'; name: string; ref: ArtifactRef };
