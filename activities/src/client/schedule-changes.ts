import { canonicalJson, formatDuration, type Plan } from '@hourglass/core';
import type { RunRequest } from '@hourglass/workflows';
import type { ScheduleDescription } from '@temporalio/client';
import { parse } from 'yaml';
import { cronExpressions, cronTimes, type CronTimes } from './cron-times.ts';
import { OVERLAP, type scheduleOptions } from './schedule-request.ts';

/** One thing that differs; a value of undefined is not there. */
export interface ScheduleChange {
  what: string;
  from?: unknown;
  to?: unknown;
}

const DAY_NAMES = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
const MONTH_NAMES = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ');

/** What the server's schedule must change to be as the file says, whoever changed which of them. */
export function scheduleChanges(
  now: ScheduleDescription,
  { policies, action }: ReturnType<typeof scheduleOptions>,
  { cron, timezone }: NonNullable<Plan['schedule']>,
): ScheduleChange[] {
  const asked = action.args![0] as RunRequest;
  const had = (now.action.args?.[0] ?? {}) as Partial<RunRequest>;
  const changes: ScheduleChange[] = [];
  const compare = (what: string, from: unknown, to: unknown): void => {
    if (canonical(from) !== canonical(to)) changes.push({ what, from, to });
  };
  const calendars = now.spec.calendars ?? [];
  if (!sameTimes(calendars, cron) || (now.spec.intervals?.length ?? 0) > 0)
    // Changed by other means than a file: the comment is still the old one.
    changes.push({
      what: 'cron',
      from: cronOf(now) === cron ? calendars.map(timesText).join(' and ') : cronOf(now),
      to: cron,
    });
  compare('timezone', now.spec.timezone || 'UTC', timezone);
  compare('overlap', overlapName(now.policies.overlap), overlapName(policies!.overlap));
  const windows = [now.policies.catchupWindow, Number(policies!.catchupWindow)];
  if (windows[0] !== windows[1])
    changes.push({ what: 'catchupWindow', from: formatDuration(windows[0]!), to: formatDuration(windows[1]!) });
  compare('queue', now.action.taskQueue, action.taskQueue);
  const { name: _, source, params, ...rest } = asked;
  const { name: _had, source: hadSource, params: hadParams, ...hadRest } = had;
  changes.push(...differences('', hadRest, rest), ...differences('params', hadParams, params));
  const files = { ...hadSource?.files, ...source.files };
  for (const file of Object.keys(files).sort()) {
    const own = file === source.file;
    changes.push(...fileChanges(own ? '' : file, hadSource?.files?.[file], source.files[file]));
  }
  return changes;
}

/** The cron a schedule was applied with, else its times in the form of one. */
export function cronOf({ spec }: Pick<ScheduleDescription, 'spec'>): string {
  const [first] = spec?.calendars ?? [];
  if (first === undefined) return 'no cron';
  return first.comment?.trim() || timesText(first);
}

function timesText(calendar: Calendar): string {
  const times = timesOf(calendar);
  const full: Record<keyof CronTimes, number> = { minute: 60, hour: 24, dayOfMonth: 31, month: 12, dayOfWeek: 7 };
  return (Object.keys(full) as (keyof CronTimes)[])
    .map((field) => (times[field].length === full[field] ? '*' : times[field].join(',')))
    .join(' ');
}

export function overlapName(policy: string | undefined): string {
  const found = Object.entries(OVERLAP).find(([, value]) => value === policy);
  return found?.[0] ?? String(policy ?? 'skip').toLowerCase();
}

type Calendar = NonNullable<ScheduleDescription['spec']['calendars']>[number];

/** Comments alone do not count: they stay when somebody changes the times elsewhere. */
function sameTimes(calendars: Calendar[], cron: string): boolean {
  const wanted = cronExpressions(cron).map(cronTimes);
  if (wanted.includes(undefined)) return calendars.some(({ comment }) => comment?.trim() === cron);
  const texts = (all: unknown[]): string => all.map(canonical).sort().join('\n');
  return texts(calendars.map(timesOf)) === texts(wanted) && calendars.every(atFullMinutes);
}

const atFullMinutes = ({ second, year }: Calendar): boolean =>
  second.every(({ start, end }) => start === 0 && end === 0) && year.length === 0;

function timesOf({ minute, hour, dayOfMonth, month, dayOfWeek }: Calendar): CronTimes {
  const expand = (ranges: { start: unknown; end: unknown; step: number }[], names?: string[]): number[] => {
    const value = (one: unknown): number => (names ? names.indexOf(one as string) : Number(one));
    const all = ranges.flatMap(({ start, end, step }) => {
      const count = Math.floor((value(end) - value(start)) / step) + 1;
      return Array.from({ length: Math.max(1, count) }, (_, i) => value(start) + i * step);
    });
    return [...new Set(all)].sort((a, b) => a - b);
  };
  return {
    minute: expand(minute),
    hour: expand(hour),
    dayOfMonth: expand(dayOfMonth),
    month: expand(month, ['', ...MONTH_NAMES]),
    dayOfWeek: expand(dayOfWeek, DAY_NAMES),
  };
}

/** A pipeline's file by its fields; `schedule` is compared with what the server really does. */
function fileChanges(file: string, from: string | undefined, to: string | undefined): ScheduleChange[] {
  if (from === to) return [];
  if (from === undefined || to === undefined) return [{ what: file, from: from && 'used', to: to && 'used' }];
  const [before, after] = [from, to].map((text) => {
    const { schedule: _, ...rest } = parse(text) as Record<string, unknown>;
    return rest;
  });
  return differences(file, before, after);
}

/** Fields that differ, by path. */
function differences(path: string, from: unknown, to: unknown): ScheduleChange[] {
  if (canonical(from) === canonical(to)) return [];
  if (!isFields(from) || !isFields(to)) return [{ what: path, from, to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    differences(path === '' ? key : path.endsWith('.yaml') ? `${path}: ${key}` : `${path}.${key}`, from[key], to[key]),
  );
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const canonical = (value: unknown): string => (value === undefined ? 'none' : canonicalJson(value));
