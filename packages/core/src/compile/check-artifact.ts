import type { DocPath } from '../document.ts';
import type { Scope } from '../expression/check.ts';
import { checkReference } from '../expression/reference.ts';
import { parseTemplate } from '../expression/template.ts';
import { formatType } from '../expression/value-type.ts';
import type { ValueType } from '../expression/value-type.ts';
import type { OnRead } from './expressions.ts';
import type { Level } from './level.ts';
import { showValue } from './reporter.ts';

/** Receives the id of a stage that is needed, and where that is written. */
export type OnNeed = (id: string, path: DocPath) => void;

/** Checks a value that must stand for an artifact. */
export function checkArtifact(
  level: Level,
  at: DocPath,
  value: unknown,
  scope: Scope,
  onRead: OnRead,
  need: OnNeed,
): ValueType {
  const { r } = level;
  const template = typeof value === 'string' ? parseTemplate(value) : undefined;
  if (!template?.whole) {
    if (template?.unclosed !== undefined)
      r.report(at, 'expression-syntax', 'An expression begins with `${{` but does not end', {
        offset: template.unclosed,
        expected: '`}}`',
      });
    else
      r.report(at, 'wrong-kind', 'This takes an artifact of a stage, not a plain value', {
        expected: '"${{ stages.STAGE.OUTPUT }}"',
        found: showValue(value),
      });
    return { t: 'dyn' };
  }
  const { expression, offset } = template.segments[0] as { expression: string; offset: number };
  const { type, errors, reads, names, sources } = checkReference(expression, scope);
  for (const e of errors)
    r.report(at, e.code, e.message, {
      expected: e.expected,
      found: e.found,
      suggestion: e.suggestion,
      offset: offset + e.start,
    });
  for (const read of reads) onRead(read, at);
  for (const [root, id] of sources) if (root === 'stages' && id !== undefined) need(id, at);
  for (const { name, optional } of names) level.c.names.set(name, (level.c.names.get(name) ?? true) && optional);
  if (
    errors.length === 0 &&
    type.t !== 'artifact' &&
    type.t !== 'dyn' &&
    !(type.t === 'list' && type.of.t === 'artifact')
  )
    r.report(at, 'wrong-kind', 'This takes an artifact of a stage', {
      expected: 'an artifact',
      found: formatType(type),
    });
  return errors.length === 0 ? type : { t: 'dyn' };
}
