/** What a heartbeat shows in the Temporal UI: readable, a few hundred bytes. */
export interface BeatDetails {
  message?: string;
  /** `40 %` */
  progress?: string;
  /** ISO 8601: when it should be done, going on like this. */
  eta?: string;
  loss?: string;
  /** Metrics of the latest epoch. */
  metrics?: Record<string, number>;
  /** Address of the stage: `impute[part-1]`. */
  path?: string;
  /** Names the slot of checkpoints in the store. */
  checkpoint?: string;
  pid?: number;
}

/** News waits so long for more of it: a stage that is done by then costs the server no beat at all. */
const NEWS_MS = 300;

/**
 * Beats on a timer, and with every piece of news, always with all details known: an empty beat would erase those that
 * the server keeps. The SDK thins them out.
 */
export function heartbeats(
  beat: (details: BeatDetails) => void,
  timeoutMs: number,
  path: string,
): {
  say(more: BeatDetails): void;
  progress(fraction: number | undefined, message: string, metrics?: Record<string, number>, curve?: string): void;
  stop(): void;
} {
  let details: BeatDetails = { path };
  const startedAt = Date.now();
  let first: number | undefined;
  let due: NodeJS.Timeout | undefined;
  const send = (): void => {
    due ??= setTimeout(() => {
      due = undefined;
      beat(details);
    }, NEWS_MS);
  };
  const timer = setInterval(() => beat(details), Math.max(200, Math.min(5000, timeoutMs / 4)));
  send();
  return {
    say(more) {
      details = { ...details, ...more };
      send();
    },
    progress(fraction, message, metrics, curve) {
      details = { ...details, message, ...(metrics ? { metrics } : {}), ...(curve ? { loss: curve } : {}) };
      if (fraction !== undefined) {
        // Continued from a checkpoint, the first fraction is not zero.
        first ??= fraction;
        details.progress = `${Math.round(fraction * 100)} %`;
        const done = fraction - first;
        if (done > 0.01)
          details.eta = new Date(Date.now() + ((Date.now() - startedAt) / done) * (1 - fraction))
            .toISOString()
            .slice(0, 19);
      }
      send();
    },
    stop() {
      clearInterval(timer);
      clearTimeout(due);
    },
  };
}
