import { Cron } from 'croner';
import type { DocPath } from '../document.ts';
import type { Json, ParamPlan, SchedulePlan } from '../plan.ts';
import { paramProblem } from './params.ts';
import { isFields, readChoice, readDuration, readFields, readText, showValue } from './reporter.ts';
import type { Reporter } from './reporter.ts';
import { didYouMean } from '../did-you-mean.ts';

const KEYS = ['cron', 'timezone', 'overlap', 'catchupWindow', 'params'] as const;

/** Reads `schedule`. */
export function readSchedule(
  r: Reporter,
  path: DocPath,
  value: unknown,
  params: Record<string, ParamPlan>,
): SchedulePlan | undefined {
  const fields = readFields(r, path, value, KEYS, '`schedule`');
  if (!fields) return undefined;
  const schedule: SchedulePlan = { cron: '', timezone: 'UTC', overlap: 'skip', params: {} };
  if (fields.cron === undefined)
    r.report(path, 'missing-key', '`schedule` needs a `cron`', { at: 'key', expected: 'for example "0 3 * * *"' });
  else {
    const cron = readText(r, [...path, 'cron'], fields.cron, '`cron`');
    if (cron !== undefined) {
      schedule.cron = cron;
      const problem = cronProblem(cron);
      if (problem)
        r.report([...path, 'cron'], 'bad-cron', `\`cron\` is not a cron pattern: ${problem}`, {
          expected: 'five fields: minute hour day month weekday, for example "0 3 * * *"',
          found: showValue(cron),
        });
    }
  }
  if (fields.timezone !== undefined) {
    const zone = readText(r, [...path, 'timezone'], fields.timezone, '`timezone`');
    if (zone !== undefined && isTimezone(zone)) schedule.timezone = zone;
    else if (zone !== undefined)
      r.report([...path, 'timezone'], 'bad-timezone', `There is no timezone \`${zone}\``, {
        expected: 'a name of the IANA database, for example Europe/Berlin',
        found: zone,
        suggestion: didYouMean(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')]),
      });
  }
  if (fields.overlap !== undefined)
    schedule.overlap =
      readChoice(r, [...path, 'overlap'], fields.overlap, ['skip', 'buffer', 'allow'], '`overlap`') ?? 'skip';
  if (fields.catchupWindow !== undefined) {
    const window = readDuration(r, [...path, 'catchupWindow'], fields.catchupWindow, '`catchupWindow`');
    if (window !== undefined) schedule.catchupWindow = window;
  }
  if (fields.params !== undefined) schedule.params = readScheduleParams(r, [...path, 'params'], fields.params, params);
  for (const [name, param] of Object.entries(params))
    if (param.default === undefined && !Object.hasOwn(schedule.params, name))
      r.report([...path, 'params'], 'param-invalid', `A scheduled run has no value for the param \`${name}\``, {
        expected: `a default of \`${name}\`, or a value here`,
      });
  return schedule;
}

function readScheduleParams(
  r: Reporter,
  path: DocPath,
  value: unknown,
  params: Record<string, ParamPlan>,
): Record<string, Json> {
  if (!isFields(value)) {
    r.report(path, 'wrong-type', '`params` of a schedule must be a mapping', { found: showValue(value) });
    return {};
  }
  for (const [name, given] of Object.entries(value)) {
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    if (!param)
      r.report([...path, name], 'unknown-reference', `There is no param \`${name}\``, {
        at: 'key',
        expected: `one of ${Object.keys(params).join(', ') || '(none declared)'}`,
        found: name,
        suggestion: didYouMean(name, Object.keys(params)),
      });
    else {
      const problem = paramProblem(param, given);
      if (problem) r.report([...path, name], 'param-invalid', `\`${name}\`: ${problem}`, { found: showValue(given) });
    }
  }
  return value as Record<string, Json>;
}

function cronProblem(cron: string): string | undefined {
  // Hosts take five fields; croner would also take seconds and years.
  const fields = cron.trim().split(/\s+/).length;
  if (!cron.trim().startsWith('@') && fields !== 5) return `it has ${fields} field${fields === 1 ? '' : 's'}`;
  try {
    new Cron(cron, { paused: true }).stop();
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^CronPattern: /, '');
  }
}

function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
