import type { StagePlan } from '../plan.ts';
import { findStage } from '../registry.ts';
import type { Registry } from '../registry.ts';
import type { Declared, Level } from './level.ts';

/** Gate and approval come after a stage has run: what it writes to a destination is there by then, whatever they say. */
export function warnOfLateJudgement({ r, c }: Level, { path }: Declared, plan: StagePlan): void {
  const writer = plan.approve || plan.gate !== undefined ? writerIn(plan, c.registry) : undefined;
  if (writer === undefined) return;
  const warn = (key: 'approve' | 'gate', before: string): void =>
    r.report([...path, key], 'judged-late', `What \`${writer}\` writes is written before ${before}`, {
      severity: 'warning',
      at: 'key',
      expected: `\`${key}\` on the stage before it, which \`${writer}\` then names in \`needs\``,
    });
  if (plan.approve) warn('approve', 'anyone is asked');
  if (plan.gate !== undefined) warn('gate', 'the gate is judged');
}

/** The stage that writes a destination: this one, or one inside the group. */
function writerIn({ id, uses, options, group }: StagePlan, registry: Registry): string | undefined {
  for (const stage of group?.stages ?? []) {
    const writer = writerIn(stage, registry);
    if (writer !== undefined) return `${id}.${writer}`;
  }
  const { sinks = [] } = (uses !== undefined && findStage(registry, uses)) || {};
  return sinks.some((option) => Object.hasOwn(options, option)) ? id : undefined;
}
