import type { Plan, ProgressEvent, RunState } from '@hourglass/core';

/** What a run tells its viewer. */
export interface RunView {
  /** After every event of the run. */
  update(state: RunState): void;
  progress(event: ProgressEvent): void;
  log(line: { path: string; level: 'info' | 'warn'; message: string }): void;
  /** Something the person at the keyboard should read now. */
  notice(text: string): void;
  /** The last frame; afterwards the summary is written. */
  close(): void;
}

export interface RunHead {
  plan: Plan;
  runId: string;
  /** The run continues one that was interrupted. */
  resumed: boolean;
  file: string;
}
