import { HourglassError } from '@hourglass/core';
import type { QueueRule, Queues } from '@hourglass/workflows';

/** A queue's demands by its short name: `{"gpu": {"accelerator": "preferred"}, "large": {"memory": 16384}}`. */
type QueueConfig = Record<string, Omit<QueueRule, 'taskQueue'>>;

const DEFAULT: QueueConfig = { gpu: { accelerator: 'preferred' } };

/** The queue every run's workflow and all plain stages are on. */
export const CPU = 'cpu';

/** Task queue of a short name: `cpu` is the base name itself, `gpu` is `hourglass-gpu`. */
export function taskQueueOf(base: string, name: string): string {
  return name === CPU ? base : `${base}-${name}`;
}

/** Which queues there are besides `cpu`, from `HOURGLASS_QUEUES`. @throws CALL_INVALID */
export function queueConfig(env: Record<string, string | undefined>): QueueConfig {
  const text = env['HOURGLASS_QUEUES'];
  if (!text) return DEFAULT;
  const wrong = (found: string): HourglassError =>
    new HourglassError(
      'CALL_INVALID',
      `HOURGLASS_QUEUES: expected JSON such as ${JSON.stringify(DEFAULT)}, found ${found}.`,
    );
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw wrong(text.slice(0, 80));
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) throw wrong(text.slice(0, 80));
  for (const [name, rule] of Object.entries(config as Record<string, unknown>)) {
    if (name === CPU || !/^[a-z][a-z0-9-]*$/.test(name)) throw wrong(`the queue name "${name}"`);
    const { accelerator, memory, ...rest } = (rule ?? {}) as Record<string, unknown>;
    const fits =
      (accelerator === undefined || accelerator === 'required' || accelerator === 'preferred') &&
      (memory === undefined || (typeof memory === 'number' && memory > 0)) &&
      Object.keys(rest).length === 0;
    if (!fits) throw wrong(`"${name}": ${JSON.stringify(rule)}`);
  }
  return config as QueueConfig;
}

/**
 * The rules of one run. A stage that would like an accelerator goes to a queue that somebody polls; one that needs it
 * goes there in any case.
 */
export function queuesFor(base: string, config: QueueConfig, polled: (taskQueue: string) => boolean): Queues {
  const rules = Object.entries(config).map(([name, rule]): QueueRule => {
    const taskQueue = taskQueueOf(base, name);
    const wished = rule.accelerator === 'preferred' && !polled(taskQueue);
    return { taskQueue, ...rule, ...(wished ? { accelerator: 'required' as const } : {}) };
  });
  return { rules, otherwise: base };
}
