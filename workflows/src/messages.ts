import { defineQuery, defineUpdate } from '@temporalio/workflow';
import { QUERIES, type RunUpdates, type RunView } from './contract.ts';
import type { StageRow } from './stage-rows.ts';

export const statusQuery = defineQuery<{ status: string; paused: boolean; stages: StageRow[] }>(QUERIES.status);
export const runQuery = defineQuery<RunView>(QUERIES.run);

const update = <K extends keyof RunUpdates>(name: K) => defineUpdate<{ status: string }, [RunUpdates[K]]>(name);

export const updates = {
  pause: update('pause'),
  resume: update('resume'),
  approve: update('approve'),
  reject: update('reject'),
  retryStage: update('retryStage'),
  skipStage: update('skipStage'),
  cancelStage: update('cancelStage'),
};

/** What each does, as the Temporal UI shows it. */
export const DESCRIPTIONS: Record<keyof RunUpdates, string> = {
  pause: 'Start no further stage; what runs goes on. {"by": "…"}',
  resume: 'Go on after a pause. {"by": "…"}',
  approve: 'Say yes to a stage that waits for a person. {"stage": "…", "by": "…", "reason": "…"}',
  reject:
    'Say no to a stage that waits for a person, or give up one that is held open. {"stage": "…", "by": "…", "reason": "…"}',
  retryStage: 'Try a stage again that failed and is held open, with options changed. {"stage": "…", "options": {…}}',
  skipStage: 'Leave out a stage that waits or is held open. {"stage": "…"}',
  cancelStage: 'Stop a stage. {"stage": "…"}',
};
