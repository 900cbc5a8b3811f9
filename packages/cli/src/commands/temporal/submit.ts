import { submitRun } from '@hourglass/activities/client';
import type { RunRequest } from '@hourglass/workflows';
import { bindingOf, type BindingFlags } from '../../bind-options.ts';
import type { CliContext } from '../../context.ts';
import { openStoreFor } from '../../open-store.ts';
import { renderDiagnostics } from '../../output/diagnostics.ts';
import type { ProgramState } from '../../program.ts';
import { followRun } from '../../temporal/follow-run.ts';
import { absoluteOut, pipelineToSubmit } from '../../temporal/pipeline-source.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

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
  const { plan, source, baseDir, warnings } = pipeline;
  if (warnings.length) context.stderr.write(`${renderDiagnostics(warnings, context.errorColors)}\n\n`);
  const store = await openStoreFor(context, flags);
  const { digest } = await store.artifacts.putBlob(new TextEncoder().encode(JSON.stringify(source)));
  const outDir = absoluteOut(context, flags.out);
  const request: RunRequest = {
    name: plan.name,
    source,
    baseDir,
    ...(outDir === undefined ? {} : { outDir }),
    ...(flags.partition === undefined ? {} : { partition: flags.partition }),
    ...(flags.unattended ? { unattended: true } : {}),
    ...defined(await bindingOf(context, plan, flags)),
    proof: { digest, store: store.location },
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
    const { stdout, colors: c } = context;
    if (flags.json) stdout.write(`${JSON.stringify({ runId: workflowId, execution: submitted.runId })}\n`);
    else
      stdout.write(
        `${c.green('✓')} ${plan.name} submitted as ${c.bold(workflowId)}\n  ${c.cyan('→')} hourglass watch ${workflowId}\n`,
      );
  });
}

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
