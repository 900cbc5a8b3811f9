export interface ProgressNews {
  fraction?: number;
  message: string;
  metrics?: Record<string, number>;
}

/** The latest news at most every `everyMs`, the first at once, the last never lost. A trainer may report every step. */
export function progressThrottle(
  send: (news: ProgressNews) => void,
  everyMs = 50,
): { report(news: ProgressNews): void; flush(): void } {
  let sentAt = -Infinity;
  let latest: ProgressNews | undefined;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (latest === undefined) return;
    const news = latest;
    latest = undefined;
    sentAt = performance.now();
    send(news);
  };
  return {
    report(news) {
      latest = news;
      const wait = sentAt + everyMs - performance.now();
      if (wait <= 0) flush();
      else timer ??= setTimeout(flush, wait);
    },
    flush,
  };
}
