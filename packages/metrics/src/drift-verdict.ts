import type { ColumnDrift } from './column-drift.ts';

/** From where on a column counts as drifted. */
export interface DriftLimits {
  psi: number;
  ks: number;
  /** Change of the share missing, either way. */
  missing: number;
  unseen: number;
}

export interface DriftVerdict {
  drifted: boolean;
  /** The worst three in words. */
  reason: string;
  maxPsi: number;
  maxKs: number;
  /** Columns beyond a limit. */
  beyond: number;
  /** The most drifted columns, a hundred at most. */
  columns: Record<string, ColumnDrift>;
}

/** Metrics travel through run states: of wide tables the most drifted columns are told. */
const TOLD = 100;

/** Which columns are beyond their limits, and what to say of it. */
export function driftVerdict(found: readonly (readonly [string, ColumnDrift])[], limits: DriftLimits): DriftVerdict {
  const beyond = found.flatMap(([name, { psi, ks, missing, unseen }]) => {
    const reasons = [
      { excess: psi / limits.psi, text: `PSI ${psi.toFixed(2)}` },
      { excess: ks / limits.ks, text: `KS ${ks.toFixed(2)}` },
      {
        excess: Math.abs(missing) / limits.missing,
        text: `${Math.abs(missing * 100).toFixed(0)} % ${missing > 0 ? 'more' : 'less'} missing`,
      },
      { excess: unseen / limits.unseen, text: `${(unseen * 100).toFixed(0)} % of the values are new` },
    ].filter(({ excess }) => excess > 1);
    reasons.sort((a, b) => b.excess - a.excess);
    return reasons.length > 0 ? [{ excess: reasons[0]!.excess, text: `${name}: ${reasons[0]!.text}` }] : [];
  });
  beyond.sort((a, b) => b.excess - a.excess);
  const worst = beyond.slice(0, 3).map(({ text }) => text);
  const told = [...found].sort(([, a], [, b]) => b.psi - a.psi || b.ks - a.ks).slice(0, TOLD);
  return {
    drifted: beyond.length > 0,
    reason:
      beyond.length === 0
        ? 'every column is within its limits'
        : `${worst.join(', ')}${beyond.length > 3 ? ` and ${beyond.length - 3} more` : ''}`,
    maxPsi: Math.max(0, ...found.map(([, { psi }]) => psi)),
    maxKs: Math.max(0, ...found.map(([, { ks }]) => ks)),
    beyond: beyond.length,
    columns: Object.fromEntries(told),
  };
}
