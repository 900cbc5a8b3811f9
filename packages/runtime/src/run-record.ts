import type {
  ArtifactRef,
  ErrorJson,
  Json,
  Plan,
  PinnedName,
  RunEvent,
  RunState,
  StageOccasion,
} from '@hourglass/core';

/** The pipeline's file as it was when the run began. */
export interface RunSource {
  file: string;
  text: string;
  /** The call as it was typed, to continue the run with. */
  command?: string;
}

/** What `runs` lists: one small file a run. */
export interface RunHeader {
  id: string;
  pipeline: string;
  title?: string;
  /**
   * `interrupted`: it was stopped, or its process died, and running the same again continues it.
   * `waiting`: a person is needed.
   */
  status: 'running' | 'interrupted' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';
  /** ISO 8601. */
  startedAt: string;
  finishedAt?: string;
  /** Times it was continued after an interruption. */
  resumed: number;
  params: Record<string, Json>;
  names: Record<string, PinnedName>;
  seed: number;
  /** Engine asked for, and what that is here when a stage computes with tensors. */
  engine: { asked: string; name?: string; class?: string };
  baseDir: string;
  outDir: string;
  source?: RunSource;
  /** Digest of everything that makes two runs the same work: an interrupted run with the same is continued. */
  identity: string;
  error?: ErrorJson & { path?: string };
}

/** A file or folder a run wrote outside the store. */
export interface WrittenSink {
  /** As in the pipeline. */
  uri: string;
  /** Where it is. */
  path: string;
  digest: string;
  bytes?: number;
}

/** Facts of one execution of a stage, beside its result. The last attempt counts. */
export interface RunOccasion extends StageOccasion {
  /** Address with keys: `impute[part-1]`. */
  path: string;
  sinks?: WrittenSink[];
}

export interface RunWarning {
  path: string;
  message: string;
  /** ISO 8601. */
  at: string;
}

/** Everything kept of a run. */
export interface RunRecord extends RunHeader {
  plan: Plan;
  state: RunState;
  /** By address of the execution. */
  occasions: Record<string, RunOccasion>;
  warnings: RunWarning[];
}

/** One line of a run's log. */
export type RunLine = { event: RunEvent } | { occasion: RunOccasion } | { warning: RunWarning };

/** Digests of all artifacts a state refers to. */
export function refsOf(state: RunState): string[] {
  const digests = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { kind, digest } = value as Partial<ArtifactRef>;
    if (typeof kind === 'string' && typeof digest === 'string') digests.add(digest);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(state);
  return [...digests];
}
