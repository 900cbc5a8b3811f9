import type { Cycle } from './encoder.ts';

const DAY = 86_400_000;

/** Milliseconds of one turn; a year is the mean Gregorian one. */
const PERIOD: Record<Cycle, number> = { day: DAY, week: 7 * DAY, year: 365.2425 * DAY };

/** Length of a cycle, milliseconds. */
export const cycleMilliseconds = (cycle: Cycle): number => PERIOD[cycle];

/** Cycles the values go round at least once: others would only repeat the value itself. */
export function cyclesOf(sorted: Float64Array): Cycle[] {
  const span = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  const cycles: Cycle[] = [];
  if (span >= DAY && sorted.some((value) => value % DAY !== 0)) cycles.push('day');
  if (span >= PERIOD.week) cycles.push('week');
  if (span >= PERIOD.year) cycles.push('year');
  return cycles;
}

/** Sine and cosine of each cycle at a time in milliseconds, written to `out` from `at` on. */
export function writeCycles(time: number, cycles: readonly Cycle[], out: Float32Array, at: number): void {
  cycles.forEach((cycle, index) => {
    const angle = ((time % PERIOD[cycle]) / PERIOD[cycle]) * 2 * Math.PI;
    out[at + 2 * index] = Math.sin(angle);
    out[at + 2 * index + 1] = Math.cos(angle);
  });
}
