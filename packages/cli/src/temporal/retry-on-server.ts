import { readTemporalRun, submitRun, tellRun, type TemporalRun } from '@hourglass/activities/client';
import type { Store } from '@hourglass/artifacts';
import { HourglassError, type Json } from '@hourglass/core';
import { stageRows } from '@hourglass/runtime';
import { answersFor } from '../answer-held.ts';
import { checkChanges } from '../check-changes.ts';
import type { CliContext } from '../context.ts';
import { currentUser } from '../current-user.ts';
import { loadPlugins } from '../load-plugins.ts';
import { type OptionChange, withChanges } from '../option-change.ts';
import { proveStore } from './prove-store.ts';
import { type TemporalFlags, withClient } from './with-client.ts';

export interface ServerRetryFlags extends TemporalFlags {
  skip?: string[];
  engine?: string;
}

/**
 * `hourglass retry` of a run on the server: stages held open are tried again in it; one that has ended is submitted anew
 * under its id, for the time and partition it was for, and finds its finished stages cached.
 * @returns the id to watch when a new run was started
 */
export async function retryOnServer(
  context: CliContext,
  store: Store,
  workflowId: string,
  changes: readonly OptionChange[],
  flags: ServerRetryFlags,
): Promise<string | undefined> {
  const { stdout, colors: c, env } = context;
  return withClient(context, flags, async (client, settings) => {
    const run = await readTemporalRun(client, workflowId);
    const { state, prepared } = run.view ?? {};
    if (prepared && changes.length > 0)
      checkChanges(prepared.plan, await loadPlugins(context, prepared.baseDir), changes);
    if (run.execution === 'RUNNING') {
      const { plan } = prepared ?? {};
      const held = plan && state ? stageRows(plan, state).filter(({ status }) => status === 'held') : [];
      const by = currentUser();
      for (const answer of answersFor(
        workflowId,
        held.map(({ path }) => path),
        changes,
        flags.skip,
        by,
      )) {
        const stage = answer.path;
        const { status } = await (answer.type === 'skip-stage'
          ? tellRun(client, workflowId, 'skipStage', { stage, by })
          : tellRun(client, workflowId, 'retryStage', { stage, options: answer.options, by }));
        const done = answer.type === 'skip-stage' ? 'is left out' : 'is tried again';
        if (flags.json) stdout.write(`${JSON.stringify({ runId: workflowId, ...answer, status })}\n`);
        else stdout.write(`${c.green('✓')} ${stage} of ${workflowId} ${done} (${by}); the run is ${status}\n`);
      }
      return undefined;
    }
    const { plan, request } = again(run, changes, flags);
    // The one that it was submitted with may have been taken away since.
    const proof = await proveStore(store);
    await submitRun(client, settings, env, { plan, request: { ...request, proof }, id: workflowId });
    if (flags.json) stdout.write(`${JSON.stringify({ runId: workflowId, submitted: true })}\n`);
    else
      stdout.write(
        `${c.green('✓')} ${workflowId} submitted again; what was finished is cached\n  ${c.cyan('→')} hourglass watch ${workflowId}\n`,
      );
    return workflowId;
  });
}

function again(run: TemporalRun, changes: readonly OptionChange[], { skip = [], engine }: ServerRetryFlags) {
  const { view, workflowId } = run;
  const { state, prepared, request } = view ?? {};
  if (state === undefined || prepared === undefined || request === undefined)
    throw new HourglassError(
      'RUN_STATE',
      `Run ${workflowId} ended before it began${run.failure ? `: ${run.failure.message}` : '.'}`,
      { remedy: 'Put that right and submit it anew: `hourglass submit FILE`.' },
    );
  const overrides: Record<string, Record<string, Json>> = withChanges(state.overrides, changes);
  return {
    plan: prepared.plan,
    request: {
      ...request,
      scheduledAt: state.run.scheduledAt,
      partition: state.run.partition,
      seed: state.seed,
      params: state.params,
      engine: engine ?? state.engine,
      overrides,
      // Someone looks at it now.
      unattended: false,
      // The results that are there are good: nothing is forced anew.
      force: undefined,
      from: undefined,
      ...(skip.length > 0 ? { skip: [...(request.skip ?? []), ...skip] } : {}),
    },
  };
}
