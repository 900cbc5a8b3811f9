import type { Store } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { createRunner, machineSlots, type Plugins } from '@hourglass/runtime';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { workerIdentity } from '../connection/codec-identity.ts';
import { dataConverter } from '../connection/data-converter.ts';
import { isPolled } from '../connection/pollers.ts';
import { CPU, queueConfig, queuesFor, taskQueueOf } from '../connection/queues.ts';
import { reach } from '../connection/reach.ts';
import type { TemporalSettings } from '../connection/settings.ts';
import { healthServer } from './health.ts';
import { stageActivity } from './stage-activity.ts';
import { stageTuner } from './stage-slots.ts';
import { storeActivities } from './store-activities.ts';
import { installTelemetry } from './telemetry.ts';
import { workflowBundle } from './workflow-bundle.ts';

export interface RunWorkerOptions {
  settings: TemporalSettings;
  store: Store;
  plugins: Plugins;
  env: Record<string, string | undefined>;
  /** Short names of the queues to poll. `cpu` runs workflows as well. @default ['cpu'] */
  queues?: string[];
  /** Where relative destinations go when a run does not say. */
  outDir: string;
  /** Stages at once, a queue. @default one a core for `cpu`, else one */
  slots?: number;
  /** Serves `/healthz`. */
  healthAddress?: string;
  /** Serves Prometheus metrics. */
  metricsAddress?: string;
  log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export interface RunningWorker {
  /** Task queues polled. */
  taskQueues: string[];
  /** Digest of the workflow's code. */
  bundle: string;
  /** Stops taking work; stages save checkpoints and are given back. */
  shutdown(): void;
  /** Resolves when all has stopped. */
  done: Promise<void>;
}

/** Time a stage has to save a checkpoint and leave, and what is on top of it until the worker gives up. */
const FORCE_AFTER = '20s';
/** How fresh heartbeats are, at the most. */
const HEARTBEAT_THROTTLE = '1s';

/** Starts a worker: polls the queues, runs workflows from the prebuilt bundle and stages in warm processes. */
export async function startWorker(options: RunWorkerOptions): Promise<RunningWorker> {
  const { settings, store, plugins, env, outDir, queues = [CPU] } = options;
  const known = queueConfig(env);
  for (const name of queues)
    if (name !== CPU && !Object.hasOwn(known, name))
      throw new HourglassError(
        'CALL_INVALID',
        `--queues: there is no queue "${name}". There are: ${[CPU, ...Object.keys(known)].join(', ')} (HOURGLASS_QUEUES).`,
      );
  installTelemetry(options.metricsAddress, options.log);
  const [connection, bundle] = await Promise.all([
    reach(settings, () => NativeConnection.connect(settings.connection)),
    workflowBundle({ encrypted: Boolean(env['HOURGLASS_CODEC_KEY']) }),
  ]);
  const runner = createRunner({ store, plugins });
  const stage = stageActivity({
    runner,
    store,
    outDir,
    versionOf: (id) => plugins.stage(id).manifest.version,
    log: options.log,
  });
  const stages = plugins.plugins.flatMap(({ manifest }) => Object.values(manifest.stages).map(({ id }) => id));
  const local = storeActivities({
    store,
    plugins,
    runner,
    outDir,
    queues: async () => {
      const polled = new Map<string, boolean>();
      for (const name of Object.keys(known)) {
        const queue = taskQueueOf(settings.taskQueue, name);
        polled.set(queue, await isPolled(connection.workflowService, settings.namespace, queue, 'stages'));
      }
      return queuesFor(settings.taskQueue, known, (queue) => polled.get(queue) === true);
    },
  });
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace: settings.namespace,
    identity: workerIdentity(env),
    dataConverter: dataConverter(env),
    shutdownGraceTime: 0,
    shutdownForceTime: FORCE_AFTER,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    ...deployment(env),
  };
  const workers = await Promise.all(
    queues.map((name) => {
      const perQueue = options.slots ?? (name === CPU ? machineSlots().count : 1);
      const taskQueue = taskQueueOf(settings.taskQueue, name);
      return Worker.create({
        ...shared,
        taskQueue,
        activities: { ...Object.fromEntries(stages.map((id) => [id, stage])), ...(name === CPU ? local : {}) },
        tuner: stageTuner(perQueue, taskQueue),
        ...(name === CPU ? { workflowBundle: { codePath: bundle.codePath }, workflowThreadPoolSize: 1 } : {}),
      });
    }),
  );
  const health = await healthServer(options.healthAddress, () => workers.map((worker) => worker.getState()));
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const done = (async () => {
    try {
      await Promise.all(
        workers.map((worker) =>
          worker.run().finally(
            // One that ends takes the others with it: half a worker helps nobody.
            shutdown,
          ),
        ),
      );
    } finally {
      await runner.close();
      health?.close();
      await connection.close();
    }
  })();
  return {
    taskQueues: queues.map((name) => taskQueueOf(settings.taskQueue, name)),
    bundle: bundle.digest,
    shutdown,
    done,
  };
}

/** Worker deployment versioning: a run stays on the build it began with. */
function deployment(env: RunWorkerOptions['env']): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  const deploymentName = env['TEMPORAL_DEPLOYMENT_NAME'];
  const buildId = env['TEMPORAL_WORKER_BUILD_ID'];
  if (!deploymentName || !buildId) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  };
}
