import type { CacheKeyParts } from '@hourglass/core';

const LONGEST = 200;
const LONGEST_VALUE = 40;

/** Why a stage must run, in one line for people: what differs from the parts used last at the same place. */
export function explainMiss(now: CacheKeyParts, last?: CacheKeyParts): string {
  if (last === undefined) return 'first run';
  const reasons: string[] = [];
  if (last.stage !== now.stage) reasons.push(`stage ${last.stage} → ${now.stage}`);
  else if (last.version !== now.version) reasons.push('code of the stage changed');
  for (const [name, a, b] of changes(last.options, now.options))
    reasons.push(`option ${name}: ${shown(a)} → ${shown(b)}`);
  for (const [name, a, b] of changes(last.inputs, now.inputs))
    reasons.push(
      a === undefined ? `input ${name} added` : b === undefined ? `input ${name} removed` : `input ${name} changed`,
    );
  for (const [name, a, b] of changes(last.sources, now.sources))
    reasons.push(
      a === undefined
        ? `source ${name} added`
        : b === undefined
          ? `source ${name} no longer read`
          : `source ${name} changed`,
    );
  if (last.seed !== now.seed) reasons.push(`seed ${last.seed} → ${now.seed}`);
  if (last.engine !== now.engine) reasons.push(`engine ${last.engine ?? 'none'} → ${now.engine ?? 'none'}`);
  for (const [name, a, b] of changes(last.libraries, now.libraries))
    reasons.push(`${name} ${String(a ?? 'none')} → ${String(b ?? 'none')}`);
  if (reasons.length === 0) return 'result no longer in the store';
  return joined(reasons);
}

/** Keys whose values differ, in order of name. */
function changes(last: Record<string, unknown>, now: Record<string, unknown>): [string, unknown, unknown][] {
  return [...new Set([...Object.keys(last), ...Object.keys(now)])]
    .sort()
    .filter((key) => JSON.stringify(last[key]) !== JSON.stringify(now[key]))
    .map((key) => [key, last[key], now[key]]);
}

function shown(value: unknown): string {
  if (value === undefined) return 'unset';
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ');
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

/** As many reasons as fit one line, then how many more there are. */
function joined(reasons: string[]): string {
  let line = '';
  for (const [i, reason] of reasons.entries()) {
    if (i > 0 && line.length + reason.length > LONGEST) return `${line}; and ${reasons.length - i} more`;
    line += (i > 0 ? '; ' : '') + reason;
  }
  return line;
}
