import type { DocPath } from '../document.ts';
import type { ApprovePlan, RetryPlan } from '../plan.ts';
import type { StageResources } from '../stage.ts';
import {
  isFields,
  readBoolean,
  readChoice,
  readCount,
  readDuration,
  readFields,
  readNumber,
  readText,
  showValue,
} from './reporter.ts';
import type { Fields, Reporter } from './reporter.ts';

export const DEFAULT_RETRY: RetryPlan = { maxAttempts: 3, initialInterval: 1000, coefficient: 2, maxInterval: 60_000 };

/** `retry: 5` or `retry: { maxAttempts, initialInterval, coefficient, maxInterval }`. */
export function readRetry(r: Reporter, path: DocPath, value: unknown): RetryPlan {
  const retry = { ...DEFAULT_RETRY };
  if (value === undefined) return retry;
  if (typeof value === 'number')
    return { ...retry, maxAttempts: readCount(r, path, value, '`retry`') ?? retry.maxAttempts };
  const fields =
    readFields(r, path, value, ['maxAttempts', 'initialInterval', 'coefficient', 'maxInterval'], '`retry`') ?? {};
  if (fields.maxAttempts !== undefined)
    retry.maxAttempts =
      readCount(r, [...path, 'maxAttempts'], fields.maxAttempts, '`maxAttempts`') ?? retry.maxAttempts;
  for (const key of ['initialInterval', 'maxInterval'] as const)
    if (fields[key] !== undefined)
      retry[key] = readDuration(r, [...path, key], fields[key], `\`${key}\``) ?? retry[key];
  if (fields.coefficient !== undefined) {
    const factor = readNumber(r, [...path, 'coefficient'], fields.coefficient, '`coefficient`');
    if (factor !== undefined && factor < 1)
      r.report([...path, 'coefficient'], 'wrong-value', '`coefficient` must be 1 or more', { found: String(factor) });
    else if (factor !== undefined) retry.coefficient = factor;
  }
  return retry;
}

/** `timeout: 4h` or `timeout: { attempt: 4h, heartbeat: 60s }`. */
export function readTimeout(r: Reporter, path: DocPath, value: unknown): { attempt?: number; heartbeat?: number } {
  if (value === undefined) return {};
  if (typeof value === 'string') {
    const attempt = readDuration(r, path, value, '`timeout`');
    return attempt === undefined ? {} : { attempt };
  }
  const fields = readFields(r, path, value, ['attempt', 'heartbeat'], '`timeout`') ?? {};
  const timeout: { attempt?: number; heartbeat?: number } = {};
  for (const key of ['attempt', 'heartbeat'] as const) {
    if (fields[key] === undefined) continue;
    const ms = readDuration(r, [...path, key], fields[key], `\`${key}\``);
    if (ms !== undefined) timeout[key] = ms;
  }
  return timeout;
}

const MIB: Record<string, number> = { MiB: 1, GiB: 1024 };

/** `resources`, on top of what the stage's manifest says. */
export function readResources(r: Reporter, path: DocPath, value: unknown, declared: StageResources): StageResources {
  const resources = { ...declared };
  if (value === undefined) return resources;
  const fields = readFields(r, path, value, ['accelerator', 'memory'], '`resources`') ?? {};
  if (fields.accelerator !== undefined)
    resources.accelerator =
      readChoice(r, [...path, 'accelerator'], fields.accelerator, ['none', 'preferred', 'required'], '`accelerator`') ??
      resources.accelerator;
  if (fields.memory !== undefined) {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(MiB|GiB)$/.exec(String(fields.memory)) ?? [];
    const memory = typeof fields.memory === 'number' ? fields.memory : unit ? Number(amount) * MIB[unit]! : NaN;
    if (memory > 0) resources.memory = memory;
    else
      r.report([...path, 'memory'], 'wrong-type', '`memory` must be an amount', {
        expected: 'for example 4GiB, 512MiB, or a number of MiB',
        found: showValue(fields.memory),
      });
  }
  return resources;
}

/** `approve: true` or `approve: { timeout, onTimeout, message }`. */
export function readApprove(r: Reporter, path: DocPath, value: unknown): ApprovePlan | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true || value === null) return { onTimeout: 'reject' };
  const fields: Fields | undefined = readFields(r, path, value, ['timeout', 'onTimeout', 'message'], '`approve`');
  if (!fields) return undefined;
  const approve: ApprovePlan = { onTimeout: 'reject' };
  if (fields.timeout !== undefined) {
    const ms = readDuration(r, [...path, 'timeout'], fields.timeout, '`timeout`');
    if (ms !== undefined) approve.timeout = ms;
  }
  if (fields.onTimeout !== undefined)
    approve.onTimeout =
      readChoice(r, [...path, 'onTimeout'], fields.onTimeout, ['reject', 'approve'], '`onTimeout`') ?? 'reject';
  if (fields.message !== undefined) {
    const text = readText(r, [...path, 'message'], fields.message, '`message`');
    if (text !== undefined) approve.message = text;
  }
  return approve;
}

/** `onFailure: fail` or `onFailure: { wait: 2h }`. */
export function readOnFailure(r: Reporter, path: DocPath, value: unknown): { wait: number } | undefined {
  if (value === undefined || value === 'fail') return undefined;
  if (!isFields(value)) {
    r.report(path, 'wrong-value', `\`onFailure\` cannot be ${showValue(value)}`, {
      expected: '`fail`, or { wait: 2h }',
    });
    return undefined;
  }
  const fields = readFields(r, path, value, ['wait'], '`onFailure`')!;
  const wait = readDuration(r, [...path, 'wait'], fields.wait, '`wait`');
  return wait === undefined ? undefined : { wait };
}

/** `cache: false` and the like. */
export function readFlag(r: Reporter, path: DocPath, value: unknown, fallback: boolean, what: string): boolean {
  return value === undefined ? fallback : (readBoolean(r, path, value, what) ?? fallback);
}
