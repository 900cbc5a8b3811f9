import type { ProgressEvent } from '@hourglass/core';

export interface Progress extends ProgressEvent {
  /** Milliseconds since the epoch. */
  at: number;
  /** Time left in milliseconds by the pace so far; undefined while that would be a guess. */
  left?: number;
}

/** The latest progress of each running stage, with an estimate of the time left. */
export interface ProgressBook {
  update(event: ProgressEvent, at: number): Progress;
  /** Of a stage, or of the item or point of it that moved last. */
  latest(path: string): Progress | undefined;
  forget(path: string): void;
}

export function progressBook(): ProgressBook {
  const latest = new Map<string, Progress>();
  /** Where the present stretch began: a resumed stage starts in the middle, a new round from the beginning. */
  const begun = new Map<string, { at: number; fraction: number }>();
  return {
    update(event, at) {
      const { path, fraction } = event;
      const progress: Progress = { ...event, at };
      if (fraction !== undefined) {
        const before = latest.get(path)?.fraction;
        const start = begun.get(path);
        if (!start || (before !== undefined && fraction < before)) begun.set(path, { at, fraction });
        else if (fraction - start.fraction > 0.02 && at - start.at > 1000)
          progress.left = ((at - start.at) / (fraction - start.fraction)) * (1 - fraction);
      }
      latest.delete(path);
      latest.set(path, progress);
      return progress;
    },
    latest(path) {
      const own = latest.get(path);
      if (own) return own;
      // Newest last: items of a fan-out are `path[key]…`, stages of a group `path.id`.
      let found: Progress | undefined;
      for (const [key, progress] of latest)
        if (key.startsWith(`${path}[`) || key.startsWith(`${path}.`)) found = progress;
      return found;
    },
    forget(path) {
      for (const key of [...latest.keys()])
        if (key === path || key.startsWith(`${path}[`) || key.startsWith(`${path}.`)) {
          latest.delete(key);
          begun.delete(key);
        }
    },
  };
}
