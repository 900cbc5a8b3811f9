import type { DatasetProfile } from '@hourglass/dataset';

/** Bytes of JSON a profile may weigh: metrics travel through run states and messages. */
const LARGEST = 120_000;

/** A profile that fits into metrics: of very wide tables, details go first, then columns; it says how many. */
export function fitProfile(profile: DatasetProfile): DatasetProfile & { columnsLeftOut?: number } {
  const weight = (value: unknown): number => JSON.stringify(value).length;
  if (weight(profile) <= LARGEST) return profile;
  const brief = Object.entries(profile.columns).map(
    ([name, { quantiles: _q, top: _t, ...column }]) => [name, column] as const,
  );
  let room = LARGEST;
  const kept = brief.filter((entry) => (room -= weight(entry)) > 0);
  const left = brief.length - kept.length;
  return { rows: profile.rows, columns: Object.fromEntries(kept), ...(left > 0 ? { columnsLeftOut: left } : {}) };
}
