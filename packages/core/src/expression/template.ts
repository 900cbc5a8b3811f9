/** A text with `${{ … }}` in it: literal pieces and expressions, in order. */
export type Segment =
  { text: string } | { expression: string; /** Of the expression's first character. */ offset: number };

export interface Template {
  segments: Segment[];
  /** The text is one expression and nothing else: its value keeps its type. */
  whole: boolean;
  /** Offset of a `${{` without its `}}`. */
  unclosed?: number;
}

const cache = new Map<string, Template>();

export function hasExpression(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${{');
  if (Array.isArray(value)) return value.some(hasExpression);
  if (value && typeof value === 'object') return Object.values(value).some(hasExpression);
  return false;
}

/** Splits a text at its `${{ … }}`. */
export function parseTemplate(text: string): Template {
  const known = cache.get(text);
  if (known) return known;
  const segments: Segment[] = [];
  let at = 0;
  let unclosed: number | undefined;
  while (at < text.length) {
    const open = text.indexOf('${{', at);
    if (open < 0) break;
    const close = findClose(text, open + 3);
    if (close === undefined) {
      unclosed = open;
      break;
    }
    if (open > at) segments.push({ text: text.slice(at, open) });
    const inner = text.slice(open + 3, close);
    const lead = inner.length - inner.trimStart().length;
    segments.push({ expression: inner.trim(), offset: open + 3 + lead });
    at = close + 2;
  }
  if (at < text.length && unclosed === undefined) segments.push({ text: text.slice(at) });
  const template: Template = {
    segments,
    whole: segments.length === 1 && 'expression' in segments[0]! && unclosed === undefined,
    ...(unclosed === undefined ? {} : { unclosed }),
  };
  if (cache.size > 10_000) cache.clear();
  cache.set(text, template);
  return template;
}

/** Position of the `}}` that ends the expression: quotes and the braces of CEL's own maps are stepped over. */
function findClose(text: string, from: number): number | undefined {
  let depth = 0;
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const char = text[i]!;
    if (quote) {
      if (char === '\\') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth++;
    else if (char === '}') {
      if (depth === 0) return text[i + 1] === '}' ? i : undefined;
      depth--;
    }
  }
  return undefined;
}

/** A value with every expression in it replaced by what `evaluate` gives; embedded ones become text. */
export function resolveTemplates(value: unknown, evaluate: (expression: string) => unknown): unknown {
  if (typeof value === 'string') {
    if (!value.includes('${{')) return value;
    const { segments, whole } = parseTemplate(value);
    if (whole) return evaluate((segments[0] as { expression: string }).expression);
    return segments.map((s) => ('text' in s ? s.text : asText(evaluate(s.expression)))).join('');
  }
  if (Array.isArray(value)) return value.map((item) => resolveTemplates(item, evaluate));
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveTemplates(item, evaluate)]));
  return value;
}

function asText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
