import { setTimeout as sleep } from 'node:timers/promises';
import { S3Failure } from './failure.ts';

export interface RetryPolicy {
  /** Times a request is sent at most. */
  attempts: number;
  /** Upper bound of the first wait in milliseconds; doubles each time. */
  firstWaitMs: number;
  maxWaitMs: number;
}

/**
 * Asks again after transient failures. Waits are drawn evenly between nothing and the bound ("full jitter"), so that many
 * workers that failed together do not come back together.
 */
export async function withRetries<T>(policy: RetryPolicy, ask: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(attempt);
    } catch (error) {
      if (!(error instanceof S3Failure) || !error.transient || attempt >= policy.attempts) throw error;
      await sleep(Math.random() * Math.min(policy.maxWaitMs, policy.firstWaitMs * 2 ** (attempt - 1)));
    }
  }
}
