import type { StageResources } from '@hourglass/core/interpreter';

/** What a stage must ask for to go to a queue; a queue that demands nothing takes everything. */
export interface QueueRule {
  /** Task queue as Temporal knows it. */
  taskQueue: string;
  /** `required`: only stages that cannot do without; `preferred`: those that like one as well. */
  accelerator?: 'required' | 'preferred';
  /** Stages with a memory limit from so many MiB on. */
  memory?: number;
}

/** Which queue runs what: the deployment's configuration, pinned when a run starts. The first rule that fits counts. */
export interface Queues {
  rules: QueueRule[];
  /** Takes all other stages. */
  otherwise: string;
}

/** The task queue for a stage. */
export function queueOf(resources: StageResources, { rules, otherwise }: Queues): string {
  const { accelerator = 'none', memory = 0 } = resources;
  const fits = (rule: QueueRule): boolean =>
    (rule.accelerator === undefined ||
      accelerator === 'required' ||
      (accelerator === 'preferred' && rule.accelerator === 'preferred')) &&
    (rule.memory === undefined || memory >= rule.memory);
  return rules.find(fits)?.taskQueue ?? otherwise;
}
