import { skipStages } from '@hourglass/core';
import { dirname } from 'node:path';
import { APPLIED_MODEL, withAppliedModel } from '../applied-model.ts';
import { answerHeld } from '../answer-held.ts';
import { asTyped } from '../as-typed.ts';
import { checkChanges } from '../check-changes.ts';
import type { CliContext } from '../context.ts';
import { executeRun } from '../execute-run.ts';
import { loadPlugins } from '../load-plugins.ts';
import { openStoreFor } from '../open-store.ts';
import { parseChanges, withChanges } from '../option-change.ts';
import type { ProgramState } from '../program.ts';
import { findRun } from '../temporal/find-run.ts';
import type { TemporalFlags } from '../temporal/with-client.ts';

export interface RetryFlags extends TemporalFlags {
  with?: string[];
  skip?: string[];
  engine?: string;
  maxParallel?: number;
  store?: string;
  plain?: boolean;
  /** Of a run on the server: watch it until it ends. */
  wait?: boolean;
}

/** `hourglass retry RUN` */
export async function retry(context: CliContext, state: ProgramState, run: string, flags: RetryFlags): Promise<void> {
  const store = await openStoreFor(context, flags);
  const changes = parseChanges(flags.with ?? []);
  const record = await findRun(context, store, run, flags);
  if (record === undefined) {
    const [{ retryOnServer }, { followRun }, { withClient }] = await Promise.all([
      import('../temporal/retry-on-server.ts'),
      import('../temporal/follow-run.ts'),
      import('../temporal/with-client.ts'),
    ]);
    const started = await retryOnServer(context, store, run, changes, flags);
    if (started !== undefined && flags.wait)
      await withClient(context, flags, async (client) => {
        const again = `hourglass retry ${started} --wait`;
        state.exitCode = await followRun(context, client, started, { ...flags, store, again });
      });
    return;
  }
  const plugins = await loadPlugins(context, record.source ? dirname(record.source.file) : undefined);
  checkChanges(record.plan, plugins, changes);
  if (record.status === 'running') return answerHeld(context, store, record, changes, flags);
  const overrides = withChanges(record.state.overrides, changes);
  const plan = skipStages(record.plan, flags.skip ?? []);
  const { only, seed, params, names } = record.state;
  const applied = names[`${APPLIED_MODEL}@latest`];
  const { exitCode } = await executeRun(context, {
    plan,
    plugins,
    // The name that a run of `apply` reads was never published: it stands for the model of that call.
    store: applied ? withAppliedModel(store, applied.ref) : store,
    file: record.source?.file ?? record.baseDir,
    text: record.source?.text ?? '',
    baseDir: record.baseDir,
    outDir: record.outDir,
    binding: {
      params,
      seed,
      only,
      engine: flags.engine ?? record.engine.asked,
      scheduledAt: record.state.run.scheduledAt,
    },
    overrides,
    maxParallel: flags.maxParallel,
    plain: flags.plain,
    json: flags.json,
    again: asTyped(state.argv),
  });
  state.exitCode = exitCode;
}
