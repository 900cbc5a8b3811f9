/** Values a calendar matches, field by field; a full field holds all its values. */
export interface CronTimes {
  minute: number[];
  hour: number[];
  dayOfMonth: number[];
  month: number[];
  dayOfWeek: number[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const FIELDS: { from: number; to: number; names: string[] }[] = [
  { from: 0, to: 59, names: [] },
  { from: 0, to: 23, names: [] },
  { from: 1, to: 31, names: [] },
  { from: 1, to: 12, names: MONTHS },
  { from: 0, to: 7, names: DAYS },
];
const SHORT: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * A pattern as those that Temporal takes, with the same meaning. Temporal wants both the day of the month and the weekday
 * to match; cron, where both are restricted, wants either.
 */
export function cronExpressions(cron: string): string[] {
  const fields = (SHORT[cron.trim().toLowerCase()] ?? cron).trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields as [string, string, string, string, string];
  if (isAny(dayOfMonth) || isAny(dayOfWeek)) return [fields.join(' ')];
  return [`${minute} ${hour} ${dayOfMonth} ${month} *`, `${minute} ${hour} * ${month} ${dayOfWeek}`];
}

/** The values of a pattern of five fields. @returns undefined for what is no plain cron (`L`, `W`, `#`) */
export function cronTimes(expression: string): CronTimes | undefined {
  const read = expression.split(' ').map((field, i) => values(field, FIELDS[i]!));
  if (read.length !== 5 || read.some((one) => one === undefined)) return undefined;
  const [minute, hour, dayOfMonth, month, dayOfWeek] = read as [number[], number[], number[], number[], number[]];
  // Both 0 and 7 are Sunday.
  const days = [...new Set(dayOfWeek.map((day) => day % 7))].sort((a, b) => a - b);
  return { minute, hour, dayOfMonth, month, dayOfWeek: days };
}

const isAny = (field: string): boolean => field === '*' || field === '?';

function values(field: string, { from, to, names }: (typeof FIELDS)[number]): number[] | undefined {
  const number = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    return named < 0 ? (/^\d+$/.test(text) ? Number(text) : NaN) : named + from;
  };
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : number(stepText);
    const [start, end] = isAny(range) ? [from, to === 7 ? 6 : to] : range.split('-').map(number);
    // `5/15` goes on to the end.
    const last = end ?? (stepText === undefined ? start! : to);
    if (!(start! >= from && last <= to && step >= 1)) return undefined;
    for (let value = start!; value <= last; value += step) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}
