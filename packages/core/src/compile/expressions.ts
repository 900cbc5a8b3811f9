import type { DocPath } from '../document.ts';
import { checkExpression } from '../expression/check.ts';
import type { ExpressionError, Scope } from '../expression/check.ts';
import { parseTemplate } from '../expression/template.ts';
import type { ValueType } from '../expression/value-type.ts';
import { DYN, formatType, STRING } from '../expression/value-type.ts';
import type { Reporter } from './reporter.ts';
import { showValue } from './reporter.ts';

/** Receives every value an expression reads, with where it was written. */
export type OnRead = (read: string[], path: DocPath) => void;

function reportErrors(r: Reporter, path: DocPath, errors: readonly ExpressionError[], base: number): void {
  for (const { code, message, start, expected, found, suggestion } of errors)
    r.report(path, code, message, { offset: base + start, expected, found, suggestion });
}

/** Checks a bare condition (`when`, `gate`, `until`). */
export function checkCondition(
  r: Reporter,
  path: DocPath,
  value: unknown,
  scope: Scope,
  onRead: OnRead,
  what: string,
): string | undefined {
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') {
    r.report(path, 'wrong-type', `${what} must be an expression that gives true or false`, { found: showValue(value) });
    return undefined;
  }
  // Also accepted with the braces that values need.
  const template = parseTemplate(value);
  const wrapped = template.whole ? (template.segments[0] as { expression: string; offset: number }) : undefined;
  const text = wrapped?.expression ?? value;
  const base = wrapped?.offset ?? 0;
  if (!text.trim()) {
    r.report(path, 'expression-syntax', `${what} is empty`);
    return undefined;
  }
  const { type, errors, reads } = checkExpression(text, scope);
  reportErrors(r, path, errors, base);
  if (errors.length === 0 && type.t !== 'bool' && type.t !== 'dyn')
    r.report(path, 'expression-type', `${what} must give true or false`, {
      expected: 'boolean',
      found: formatType(type),
    });
  for (const read of reads) onRead(read, path);
  return text;
}

/** Checks every `${{ … }}` in a value; gives its static type when the value is one expression. */
export function checkValue(
  r: Reporter,
  path: DocPath,
  value: unknown,
  scope: Scope,
  onRead: OnRead,
): ValueType | undefined {
  if (typeof value === 'string') {
    if (!value.includes('${{')) return undefined;
    const { segments, whole, unclosed } = parseTemplate(value);
    if (unclosed !== undefined)
      r.report(path, 'expression-syntax', 'An expression begins with `${{` but does not end', {
        offset: unclosed,
        expected: '`}}`',
      });
    let type: ValueType = DYN;
    for (const segment of segments) {
      if ('text' in segment) continue;
      const checked = checkExpression(segment.expression, scope);
      reportErrors(r, path, checked.errors, segment.offset);
      for (const read of checked.reads) onRead(read, path);
      type = checked.errors.length > 0 ? DYN : checked.type;
    }
    return whole || unclosed !== undefined ? type : STRING;
  }
  if (Array.isArray(value)) value.forEach((item, i) => checkValue(r, [...path, i], item, scope, onRead));
  else if (value && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) checkValue(r, [...path, key], item, scope, onRead);
  return undefined;
}
