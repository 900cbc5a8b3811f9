/** The part of a client's or a worker's connection that lists pollers. */
interface WorkflowService {
  describeTaskQueue(request: {
    namespace: string;
    taskQueue: { name: string };
    taskQueueType: number;
  }): Promise<{ pollers?: { identity?: string | null; lastAccessTime?: { seconds?: unknown } | null }[] | null }>;
}

const WORKFLOW = 1;
const ACTIVITY = 2;
/** The server remembers pollers for five minutes; one that lives asks at least once a minute. */
const RECENT_S = 90;

/** Identities of the workers that poll a task queue now, for workflows or for stages. */
export async function pollersOf(
  service: WorkflowService,
  namespace: string,
  taskQueue: string,
  what: 'workflows' | 'stages',
): Promise<string[]> {
  const { pollers } = await service.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: what === 'workflows' ? WORKFLOW : ACTIVITY,
  });
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Date.now() / 1000 - Number(lastAccessTime?.seconds ?? 0) < RECENT_S)
    .map(({ identity }) => identity ?? '');
}

/** Whether a worker polls a task queue now, for workflows or for stages. */
export async function isPolled(...asked: Parameters<typeof pollersOf>): Promise<boolean> {
  return (await pollersOf(...asked)).length > 0;
}
