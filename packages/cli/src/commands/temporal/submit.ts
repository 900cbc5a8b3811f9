import { setTimeout as sleep } from 'node:timers/promises';
import { carrySources, readTemporalRun, submitRun } from '@hourglass/activities/client';
import { bind, compact, HourglassError } from '@hourglass/core';
import { pinnedNames } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import { bindingOf, type BindingFlags } from '../../bind-options.ts';
import type { CliContext } from '../../context.ts';
import { openStoreFor } from '../../open-store.ts';
import { renderDiagnostics } from '../../output/diagnostics.ts';
import type { ProgramState } from '../../program.ts';
import { followRun } from '../../temporal/follow-run.ts';
import { absoluteOut, pipelineToSubmit } from '../../temporal/pipeline-source.ts';
import { proveStore } from '../../temporal/prove-store.ts';
import { type TemporalClient, type TemporalFlags, withClient } from '../../temporal/with-client.ts';

const PREPARED_WITHIN_MS = 10_000;

export interface SubmitFlags extends BindingFlags, TemporalFlags {
  id?: string;
  partition?: string;
  wait?: boolean;
  plain?: boolean;
  unattended?: boolean;
}

/** `hourglass submit FILE` */
export async function submit(
  context: CliContext,
  state: ProgramState,
  file: string,
  flags: SubmitFlags,
): Promise<void> {
  const pipeline = await pipelineToSubmit(context, file);
  const { plan, plugins, source, baseDir, warnings } = pipeline;
  if (warnings.length) context.stderr.write(`${renderDiagnostics(warnings, context.errorColors)}\n\n`);
  const store = await openStoreFor(context, flags);
  const binding = compact(await bindingOf(context, plan, flags));
  const { partition } = flags;
  // What `hourglass run` refuses before anything runs is refused before the server hears of it.
  const scheduledAt = new Date().toISOString();
  bind(plan, { runId: '', scheduledAt, names: await pinnedNames(plan, store), ...compact({ partition }), ...binding });
  const outDir = absoluteOut(context, flags.out);
  // In a folder store the workers are on this machine, or see its folders; in object storage they may see nothing of it.
  const carried = store.driver.resident
    ? undefined
    : await carrySources({ store, plugins, plan, baseDir }, { ...binding, ...compact({ partition }) });
  const request: RunRequest = {
    name: plan.name,
    source,
    baseDir,
    ...(outDir === undefined ? {} : { outDir }),
    ...compact({ partition }),
    ...(flags.unattended ? { unattended: true } : {}),
    ...binding,
    ...(carried === undefined ? {} : { carried }),
    proof: await proveStore(store),
    report: true,
  };
  await withClient(context, flags, async (client, settings) => {
    const submitted = await submitRun(client, settings, context.env, { plan, request, id: flags.id });
    const { workflowId } = submitted;
    if (submitted.unsearchable)
      context.stderr.write(
        `${context.errorColors.yellow('warning')} the server does not know our search attributes: hourglass migrate search-attributes\n`,
      );
    if (flags.wait) {
      const again = `hourglass watch ${workflowId}`;
      state.exitCode = await followRun(context, client, workflowId, { ...flags, store, again });
      return;
    }
    await refuseUnprepared(client, workflowId);
    const { stdout, colors: c } = context;
    if (flags.json) stdout.write(`${JSON.stringify({ runId: workflowId, execution: submitted.runId })}\n`);
    else
      stdout.write(
        `${c.green('✓')} ${plan.name} submitted as ${c.bold(workflowId)}\n  ${c.cyan('→')} hourglass watch ${workflowId}\n`,
      );
  });
}

/**
 * A worker that cannot run it at all (another store, another build) says so while it prepares the run: the submitter hears
 * it at once. A worker that takes longer is not waited for.
 */
async function refuseUnprepared(client: TemporalClient, workflowId: string): Promise<void> {
  for (const until = Date.now() + PREPARED_WITHIN_MS; Date.now() < until;) {
    const { execution, view, failure } = await readTemporalRun(client, workflowId);
    if (view?.prepared) return;
    if (execution !== 'RUNNING') {
      if (failure) throw HourglassError.fromJSON(failure);
      return;
    }
    await sleep(100);
  }
}
