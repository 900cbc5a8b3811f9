import type { ReportStage } from './run-report.ts';

/** How a status looks: a mark and a word besides the colour, so that it reads in print and to everyone. */
export interface StatusLook {
  mark: string;
  word: string;
  tone: 'good' | 'bad' | 'warn' | 'idle';
}

const LOOKS: Record<ReportStage['status'], StatusLook> = {
  done: { mark: '✓', word: 'done', tone: 'good' },
  cached: { mark: '≡', word: 'cached', tone: 'good' },
  failed: { mark: '✗', word: 'failed', tone: 'bad' },
  refused: { mark: '✗', word: 'gate failed', tone: 'bad' },
  running: { mark: '●', word: 'running', tone: 'warn' },
  starting: { mark: '●', word: 'starting', tone: 'warn' },
  backoff: { mark: '↻', word: 'tries again', tone: 'warn' },
  approval: { mark: '?', word: 'waits for approval', tone: 'warn' },
  held: { mark: '?', word: 'held open', tone: 'warn' },
  waiting: { mark: '·', word: 'waiting', tone: 'idle' },
  skipped: { mark: '–', word: 'skipped', tone: 'idle' },
  blocked: { mark: '·', word: 'blocked', tone: 'idle' },
  stopped: { mark: '■', word: 'stopped', tone: 'warn' },
  cancelled: { mark: '■', word: 'cancelled', tone: 'warn' },
};

export const lookOf = (status: ReportStage['status']): StatusLook => LOOKS[status];

/** Of a whole run. */
export function runLook(status: string): StatusLook {
  if (status === 'succeeded') return { mark: '✓', word: 'succeeded', tone: 'good' };
  if (status === 'failed') return { mark: '✗', word: 'failed', tone: 'bad' };
  return { mark: '■', word: status, tone: 'warn' };
}
