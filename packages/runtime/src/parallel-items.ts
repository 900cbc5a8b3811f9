import { createHash } from 'node:crypto';
import { HourglassError, type StageTask } from '@hourglass/core';
import { awaitSlot } from './await-slot.ts';
import type { InstalledPlugin } from './discover.ts';
import { mapLimited } from './map-limited.ts';
import type { Job } from './messages.ts';
import type { RunOptions } from './runner.ts';
import type { Slots } from './slots.ts';
import type { StagePool } from './stage-pool.ts';
import type { StageSlot } from './stage-slot.ts';
import { supervise } from './supervise.ts';

interface Surroundings {
  job: Job;
  plugin: InstalledPlugin;
  task: StageTask;
  memory: number;
  graceMs: number;
  slots: Slots;
  pool: StagePool;
  slot: StageSlot;
  /** Gets the checkpoint keys of the items: their slots are removed when the whole stage has succeeded. */
  checkpoints: Set<string>;
  runOptions: RunOptions;
}

/**
 * Serves `ctx.parallel`: every item in a stage process under a slot of its own. The waiting stage computes nothing and gives
 * its slot back meanwhile, so that with one slot only the items still get their turn.
 */
export async function parallelItems(
  call: { module: string; export: string; items: unknown[] },
  { job, plugin, task, memory, graceMs, slots, pool, slot: stageSlot, checkpoints, runOptions }: Surroundings,
): Promise<unknown[]> {
  const module = new URL(call.module, job.module).href;
  if (!call.module.startsWith('./') || !module.startsWith(new URL('.', job.module).href))
    throw new HourglassError(
      'PLUGIN_INVALID',
      `Stage ${task.path} (${task.uses}): ctx.parallel expects a module beside the stage's own, written "./name.ts"; found "${call.module}".`,
    );
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, stageSlot.ended, ...(runOptions.signal ? [runOptions.signal] : [])]);
  const fractions = new Array<number>(call.items.length).fill(0);
  let computing = 0;
  let said = false;
  // All of them may wait: one says so.
  const idle = (): boolean => computing === 0 && !said && (said = true);
  stageSlot.pause();
  try {
    return await mapLimited(call.items, slots.count, async (item, index) => {
      const path = `${task.path}#${index}`;
      const key = itemKey(job.checkpoint.key, call, index);
      checkpoints.add(key);
      const slot = await awaitSlot(slots, task.path, { idle, signal, urgent: true, onLog: runOptions.onLog });
      computing++;
      try {
        const itemJob: Job = {
          ...job,
          module: plugin.source ? module : module.replace(/\.ts$/, '.js'),
          export: call.export,
          call: { kind: 'item', item },
          path,
          checkpoint: { ...job.checkpoint, key },
        };
        const stageProcess = await pool.acquire(itemJob, memory);
        const { result, reusable } = await supervise(stageProcess, itemJob, {
          signal,
          // The attempt's timeout is watched over the whole stage.
          timeout: { heartbeat: task.timeout.heartbeat },
          memoryMiB: memory,
          graceMs,
          onProgress({ fraction, message, metrics }) {
            fractions[index] = fraction ?? fractions[index]!;
            const mean = fractions.reduce((sum, value) => sum + value, 0) / fractions.length;
            runOptions.onProgress?.({ path: task.path, fraction: mean, message, metrics });
          },
          onLog: (level, message) => runOptions.onLog?.({ path: task.path, level, message }),
          parallel: () =>
            Promise.reject(new HourglassError('PLUGIN_INVALID', `Stage ${path}: an item cannot spread work further.`)),
        });
        pool.release(stageProcess, reusable ? 'reusable' : 'replace');
        if (!result.ok) throw HourglassError.fromJSON(result.error);
        fractions[index] = 1;
        return result.value;
      } finally {
        computing--;
        slot.release();
      }
    });
  } catch (error) {
    abort.abort(new HourglassError('CANCELLED', `Stage ${task.path}: another item failed.`));
    throw error;
  } finally {
    await stageSlot.resume();
  }
}

/** Items keep their checkpoints apart, in slots named by the stage's key, the function and their place in the list. */
function itemKey(key: string, call: { module: string; export: string }, index: number): string {
  return createHash('sha256').update(`${key} ${call.module} ${call.export} ${index}`).digest('hex');
}
