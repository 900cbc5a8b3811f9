import type { ErrorJson } from '@hourglass/core';

/** What a stage process is asked to do: plain data, cloned between processes. */
export interface Job {
  /** File URL of the module. */
  module: string;
  /** Its exported function: `run` of a stage, or the function named to `ctx.parallel`. */
  export: string;
  /** Arguments after or before the context, by the kind of function. */
  call: { kind: 'stage'; inputs: unknown; options: unknown } | { kind: 'item'; item: unknown };
  /** For messages: path of the stage within the run. */
  path: string;
  seed: number;
  /** Name asked for, and the class the cache key was computed with; undefined when the stage declares no engine. */
  engine?: { name: string; class: string };
  /** Location of the store. */
  store: string;
  checkpoint: { key: string; attempt: number; owner: string };
  place: { baseDir: string; outDir: string };
  /** Version of the module's code: a process that loaded another version of it is not used. */
  version: string;
}

export type ToStageProcess =
  | { type: 'run'; id: number; job: Job }
  | { type: 'cancel'; id: number; error: ErrorJson }
  | { type: 'answer'; id: number; call: number; answer: { results: unknown[] } | { error: ErrorJson } };

export type FromStageProcess =
  | { type: 'ready' }
  | { type: 'progress'; id: number; fraction?: number; message: string; metrics?: Record<string, number> }
  | { type: 'log'; id: number; level: 'info' | 'warn'; message: string }
  /** A sign of life without news: a checkpoint was saved. */
  | { type: 'alive'; id: number }
  | { type: 'parallel'; id: number; call: number; items: unknown[]; module: string; export: string }
  | { type: 'done'; id: number; value: unknown; engine?: string; rss: number }
  | { type: 'failed'; id: number; error: ErrorJson; rss: number };
