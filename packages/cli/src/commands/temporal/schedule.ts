import {
  applySchedule,
  backfillSchedule,
  deleteSchedule,
  describeSchedule,
  hasSearchAttributes,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
  type AppliedSchedule,
  type ScheduleChange,
} from '@hourglass/activities/client';
import { formatDuration, HourglassError } from '@hourglass/core';
import type { CliContext } from '../../context.ts';
import { currentUser } from '../../current-user.ts';
import { renderDiagnostics } from '../../output/diagnostics.ts';
import { plural } from '../../output/format.ts';
import { formatTable } from '../../output/table.ts';
import { timeInZone } from '../../output/time-in-zone.ts';
import { absoluteOut, pipelineToSubmit, type PipelineToSubmit } from '../../temporal/pipeline-source.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

const SHOWN_TIMES = 5;
const LONGEST_VALUE = 60;

export interface ApplyFlags extends TemporalFlags {
  out?: string;
  dryRun?: boolean;
}

/** `hourglass schedule apply FILE…`: every file is read before anything is applied. */
export async function apply(context: CliContext, files: string[], flags: ApplyFlags): Promise<void> {
  const { stdout, stderr, errorColors } = context;
  const pipelines: PipelineToSubmit[] = [];
  for (const file of files) {
    const pipeline = await pipelineToSubmit(context, file);
    if (pipeline.plan.schedule === undefined)
      throw new HourglassError(
        'CALL_INVALID',
        `${file} has no schedule; nothing was applied. Add one, for example schedule: { cron: '0 3 * * *' }.`,
      );
    if (pipeline.warnings.length) stderr.write(`${renderDiagnostics(pipeline.warnings, errorColors)}\n\n`);
    pipelines.push(pipeline);
  }
  const outDir = absoluteOut(context, flags.out);
  await withClient(context, flags, async (client, { namespace, taskQueue }) => {
    const searchAttributes = await hasSearchAttributes(client, namespace);
    for (const { plan, source, baseDir } of pipelines) {
      const request = {
        name: plan.name,
        source,
        baseDir,
        ...(outDir === undefined ? {} : { outDir }),
        report: true,
        searchAttributes,
      };
      const applied = await applySchedule(client, { plan, request, taskQueue }, flags.dryRun);
      if (flags.json) stdout.write(`${JSON.stringify({ ...applied, dryRun: flags.dryRun === true })}\n`);
      else writeApplied(context, applied, plan.schedule!.timezone, flags.dryRun === true);
    }
  });
}

function writeApplied({ stdout, colors: c }: CliContext, applied: AppliedSchedule, zone: string, dry: boolean): void {
  const { name, how, changes, next, paused } = applied;
  const [first] = next;
  const after = paused
    ? c.yellow(` · paused; go on with: hourglass schedule resume ${name}`)
    : first === undefined
      ? ''
      : c.dim(` · next ${timeInZone(first, zone)}`);
  const verb = dry && how !== 'unchanged' ? `would be ${how}` : how;
  stdout.write(`${how === 'unchanged' ? c.dim('=') : c.green('✓')} ${c.bold(name)} ${verb}${after}\n`);
  const rows = changes.map(({ what, from, to }: ScheduleChange) => [what, short(from), '→', short(to)]);
  if (rows.length === 0) return;
  const columns = [{ title: '' }, { title: '' }, { title: '' }, { title: '' }];
  const lines = formatTable(columns, rows, { indent: '    ' });
  stdout.write(`${lines.slice(lines.length - rows.length).join('\n')}\n`);
}

function short(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value.replace(/\s*\n\s*/g, ' ') : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** `hourglass schedule list` */
export async function list(context: CliContext, flags: TemporalFlags): Promise<void> {
  const { stdout, colors: c } = context;
  const schedules = await withClient(context, flags, (client) => listSchedules(client));
  if (flags.json) {
    stdout.write(`${JSON.stringify(schedules)}\n`);
    return;
  }
  if (schedules.length === 0) {
    stdout.write('No schedules on the server. Make one: hourglass schedule apply FILE\n');
    return;
  }
  const rows = schedules.map(({ name, cron, timezone, paused, next, recent }) => [
    name,
    cron,
    timezone,
    paused ? c.yellow('paused') : next[0] ? timeInZone(next[0], timezone) : 'never',
    recent[0]?.workflowId ?? '',
  ]);
  const columns = ['SCHEDULE', 'CRON', 'TIMEZONE', 'NEXT', 'LATEST RUN'].map((title) => ({ title }));
  stdout.write(`${formatTable(columns, rows).join('\n')}\n`);
}

/** `hourglass schedule describe NAME` */
export async function describe(context: CliContext, name: string, flags: TemporalFlags): Promise<void> {
  const { stdout, colors: c } = context;
  const found = await withClient(context, flags, (client) => describeSchedule(client, name));
  if (flags.json) {
    stdout.write(`${JSON.stringify(found)}\n`);
    return;
  }
  const { cron, timezone, overlap, catchupWindow, params, taskQueue, next, recent, running, taken, missed, skipped } =
    found;
  const rows: [string, string][] = [
    ['cron', `${cron} (${timezone})`],
    ['overlap', `${overlap} · catches up for ${formatDuration(catchupWindow)}`],
    ['queue', taskQueue],
    ...Object.entries(params).map(([key, value]): [string, string] => [`param ${key}`, short(value)]),
    ['runs', `${taken} started, ${skipped} left out (one was going), ${missed} missed`],
    [
      'next',
      next
        .slice(0, SHOWN_TIMES)
        .map((time) => timeInZone(time, timezone))
        .join(', ') || 'none while paused',
    ],
  ];
  const state = found.paused ? c.yellow(`paused${found.note ? `: ${found.note}` : ''}`) : c.green('active');
  stdout.write(`${c.bold(found.name)} ${state}\n`);
  const width = Math.max(...rows.map(([key]) => key.length));
  for (const [key, value] of rows) stdout.write(`  ${c.dim(key.padEnd(width))}  ${value}\n`);
  for (const { workflowId, scheduledAt } of recent.slice(0, SHOWN_TIMES))
    stdout.write(
      `  ${c.dim('run'.padEnd(width))}  ${workflowId} for ${timeInZone(scheduledAt, timezone)}${running.includes(workflowId) ? c.cyan(' · under way') : ''}\n`,
    );
}

/** `hourglass schedule pause|resume|delete NAME`, `trigger NAME` */
export async function change(
  context: CliContext,
  what: 'pause' | 'resume' | 'delete' | 'trigger',
  name: string,
  flags: TemporalFlags & { reason?: string; by?: string },
): Promise<void> {
  const { stdout, colors: c } = context;
  const by = flags.by ?? currentUser();
  const note = flags.reason ? `${flags.reason} (${by})` : `by ${by}`;
  const done = await withClient(context, flags, async (client) => {
    if (what === 'trigger') return triggerSchedule(client, name);
    if (what === 'pause') return { name: await pauseSchedule(client, name, note) };
    if (what === 'resume') return { name: await resumeSchedule(client, name, note) };
    return { name: await deleteSchedule(client, name) };
  });
  if (flags.json) {
    stdout.write(`${JSON.stringify({ ...done, done: what })}\n`);
    return;
  }
  const { workflowId } = done as { workflowId?: string };
  const said = {
    pause: `paused: no run is started until hourglass schedule resume ${done.name}`,
    resume: 'goes on',
    delete: 'deleted; its runs stay',
    trigger: workflowId
      ? `started as ${c.bold(workflowId)}\n  ${c.cyan('→')} hourglass watch ${workflowId}`
      : 'not started: the run before it is still going, and its overlap says to skip or wait',
  }[what];
  stdout.write(`${c.green('✓')} ${done.name}: ${said}\n`);
}

export interface BackfillFlags extends TemporalFlags {
  from: string;
  to: string;
  parallel?: boolean;
}

/** `hourglass schedule backfill NAME --from TIME --to TIME` */
export async function backfill(context: CliContext, name: string, flags: BackfillFlags): Promise<void> {
  const [from, to] = [time('--from', flags.from), time('--to', flags.to)];
  if (from > to)
    throw new HourglassError('CALL_INVALID', `--from ${flags.from} lies after --to ${flags.to}: nothing to run.`);
  const overlap = flags.parallel ? 'allow' : 'buffer';
  const { stdout, colors: c } = context;
  const done = await withClient(context, flags, (client) => backfillSchedule(client, name, { from, to, overlap }));
  if (flags.json) {
    stdout.write(`${JSON.stringify({ ...done, overlap })}\n`);
    return;
  }
  const { times } = done;
  const order = times.length === 1 ? '' : flags.parallel ? ', side by side' : ', one after the other';
  stdout.write(
    `${c.green('✓')} ${done.name}: ${plural(times.length, 'run')}${order}, for ${times[0]}${times.length > 1 ? ` … ${times.at(-1)}` : ''}\n` +
      `  ${c.cyan('→')} hourglass status --pipeline ${done.name}\n`,
  );
}

function time(option: string, text: string): Date {
  const read = new Date(text);
  if (Number.isNaN(read.getTime()))
    throw new HourglassError(
      'CALL_INVALID',
      `${option}: expected a time such as 2026-11-24T03:00:00Z or a day such as 2026-11-24 (UTC), found "${text}".`,
    );
  return read;
}
