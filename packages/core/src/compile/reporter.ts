import { compact } from '../compact.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import { formatPath } from '../document.ts';
import type { DocPath, SourceDocument } from '../document.ts';
import { parseDuration } from '../duration.ts';

export type Details = Partial<Pick<Diagnostic, 'expected' | 'found' | 'suggestion' | 'severity'>> & {
  /** Point at the key instead of the value. */
  at?: 'key';
  /** Character offset within the scalar. */
  offset?: number;
};

/** Collects mistakes of one document, each with its position. */
export interface Reporter {
  doc: SourceDocument;
  diagnostics: Diagnostic[];
  report(path: DocPath, code: string, message: string, details?: Details): void;
}

export function createReporter(doc: SourceDocument, diagnostics: Diagnostic[]): Reporter {
  return {
    doc,
    diagnostics,
    report(path, code, message, { at, offset, severity = 'error', ...rest } = {}) {
      const place = offset === undefined ? doc.position(path, at) : doc.positionIn(path, offset);
      const source = doc.line(place.line);
      diagnostics.push({
        severity,
        code,
        message,
        file: doc.file,
        ...place,
        path: formatPath(path),
        ...compact(rest),
        source,
      });
    },
  };
}

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Value for a message: short, whatever its size. */
export function showValue(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A mapping with known keys; reports what is unknown. Undefined when it is no mapping. */
export function readFields(
  r: Reporter,
  path: DocPath,
  value: unknown,
  known: readonly string[],
  what: string,
): Fields | undefined {
  if (!isFields(value)) {
    r.report(path, 'wrong-type', `${what} must be a mapping`, {
      expected: `keys ${known.join(', ')}`,
      found: showValue(value),
    });
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    r.report([...path, key], 'unknown-key', `${what} has no key \`${key}\``, {
      at: 'key',
      expected: `one of ${known.join(', ')}`,
      found: key,
      suggestion: didYouMean(key, known),
    });
  }
  return value;
}

export const ID = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Checks ids: letters, digits and `_`, and none that differ from another only in case. */
export function checkIds(r: Reporter, path: DocPath, ids: readonly string[], what: string, pattern = ID): void {
  const seen = new Map<string, string>();
  for (const id of ids) {
    if (!pattern.test(id))
      r.report([...path, id], 'bad-id', `\`${id}\` cannot be the id of a ${what}: expressions could not name it`, {
        at: 'key',
        expected: 'a letter or _, then letters, digits and _',
        found: id,
        suggestion: id.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(\d)/, '_$1') || undefined,
      });
    const twin = seen.get(id.toLowerCase());
    if (twin !== undefined)
      r.report([...path, id], 'ambiguous-id', `The ${what}s \`${twin}\` and \`${id}\` differ only in case`, {
        at: 'key',
        expected: 'names that cannot be mistaken for each other',
      });
    else seen.set(id.toLowerCase(), id);
  }
}

type Read<T> = (r: Reporter, path: DocPath, value: unknown, what: string) => T | undefined;

const reader =
  <T>(expected: string, accept: (value: unknown) => T | undefined): Read<T> =>
  (r, path, value, what) => {
    const accepted = accept(value);
    if (accepted === undefined)
      r.report(path, 'wrong-type', `${what} must be ${expected}`, { expected, found: showValue(value) });
    return accepted;
  };

export const readText = reader('text', (v) => (typeof v === 'string' ? v : undefined));
export const readBoolean = reader('true or false', (v) => (typeof v === 'boolean' ? v : undefined));
export const readNumber = reader('a number', (v) => (typeof v === 'number' && Number.isFinite(v) ? v : undefined));
export const readCount = reader('a whole number, 1 or more', (v) =>
  typeof v === 'number' && Number.isSafeInteger(v) && v >= 1 ? v : undefined,
);
export const readDuration = reader('a duration such as 60s, 30m, 4h or 1h30m', (v) =>
  typeof v === 'string' ? parseDuration(v) : undefined,
);

/** One of a few words. */
export function readChoice<const T extends string>(
  r: Reporter,
  path: DocPath,
  value: unknown,
  choices: readonly T[],
  what: string,
): T | undefined {
  if (choices.includes(value as T)) return value as T;
  r.report(path, 'wrong-value', `${what} cannot be ${showValue(value)}`, {
    expected: `one of ${choices.join(', ')}`,
    found: showValue(value),
    suggestion: typeof value === 'string' ? didYouMean(value, choices) : undefined,
  });
  return undefined;
}
