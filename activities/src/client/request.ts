import type { Plan, StagePlan, StageResources } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import { queueOf, type RunRequest } from '@hourglass/workflows';
import type { Client } from '@temporalio/client';
import { codecMismatch } from '../connection/codec-identity.ts';
import { pollersOf } from '../connection/pollers.ts';
import { queueConfig, queuesFor, taskQueueOf } from '../connection/queues.ts';
import type { TemporalSettings } from '../connection/settings.ts';

const LARGEST_SOURCE = 512 * 1024;

/** @throws CALL_INVALID when the pipeline's files are too large to travel with the request */
export function checkSource({ source }: Pick<RunRequest, 'source'>): void {
  const bytes = Buffer.byteLength(JSON.stringify(source));
  if (bytes > LARGEST_SOURCE)
    throw new HourglassError(
      'CALL_INVALID',
      `${source.file} and the files it takes in hold ${Math.round(bytes / 1024)} KiB; at most ${LARGEST_SOURCE / 1024} KiB can be submitted. Split the pipeline, or move long lists into data.`,
    );
}

/**
 * Refuses what would wait for ever: a run whose workflow, or one of its stages, is on a queue that no worker polls.
 * @throws CALL_INVALID, naming stages, queue and the command that helps
 */
export async function refuseUnpolled(
  client: Client,
  settings: TemporalSettings,
  env: Record<string, string | undefined>,
  plan: Plan,
): Promise<void> {
  const { namespace, taskQueue: base } = settings;
  const service = client.workflowService;
  const workers = await polledSoon(() => pollersOf(service, namespace, base, 'workflows'));
  if (workers.length === 0)
    throw new HourglassError(
      'CALL_INVALID',
      `No worker polls the queue "${base}" in the namespace "${namespace}" at ${settings.address}. Start one: hourglass worker`,
    );
  refuseOtherKeys(workers, base, env);
  const config = queueConfig(env);
  const polled = new Map([[base, workers]]);
  for (const name of Object.keys(config)) {
    const queue = taskQueueOf(base, name);
    polled.set(queue, await pollersOf(service, namespace, queue, 'stages'));
  }
  const isPolledNow = (queue: string): boolean => (polled.get(queue) ?? []).length > 0;
  const queues = queuesFor(base, config, isPolledNow);
  const wanting = new Map<string, string[]>();
  for (const [path, resources] of resourcesOf(plan.stages, '')) {
    const queue = queueOf(resources, queues);
    if (isPolledNow(queue)) refuseOtherKeys(polled.get(queue)!, queue, env);
    else wanting.set(queue, [...(wanting.get(queue) ?? []), path]);
  }
  const [first] = wanting;
  if (first)
    throw new HourglassError(
      'CALL_INVALID',
      `${plan.name}: ${first[1].map((path) => `\`${path}\``).join(', ')} must run on the queue "${first[0]}", which no worker polls. Start one there: hourglass worker --queues ${first[0].slice(base.length + 1)}`,
    );
}

/**
 * A run whose workers cannot read it never begins, and one that cannot be read here is followed by nobody.
 * @throws CALL_INVALID when this holds for all workers of the queue
 */
function refuseOtherKeys(workers: readonly string[], queue: string, env: Record<string, string | undefined>): void {
  const mismatches = workers.map((identity) => codecMismatch(identity, env));
  if (mismatches.every((mismatch) => mismatch !== undefined))
    throw new HourglassError(
      'CALL_INVALID',
      `HOURGLASS_CODEC_KEY differs from that of the workers on the queue "${queue}": ${mismatches[0]}. Set the same for workers and clients.`,
    );
}

/** A worker that just started is heard of with its first poll. */
async function polledSoon(pollersNow: () => Promise<string[]>): Promise<string[]> {
  for (let tries = 0; tries < 10; tries++) {
    const pollers = await pollersNow();
    if (pollers.length > 0) return pollers;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return [];
}

function resourcesOf(stages: readonly StagePlan[], prefix: string): [string, StageResources][] {
  return stages.flatMap(({ id, group, resources }): [string, StageResources][] =>
    group ? resourcesOf(group.stages, `${prefix}${id}.`) : [[prefix + id, resources]],
  );
}
