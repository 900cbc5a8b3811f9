import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Diagnostic } from './diagnostic.ts';

/** A place in a document: keys and indices from the root. */
export type DocPath = readonly (string | number)[];

export interface SourceText {
  text: string;
  /** As shown in diagnostics; relative `uses: ./other.yaml` resolve against its folder. */
  file: string;
}

interface Range {
  key?: number;
  value?: number;
  /** Offset of a one-line scalar's first character, where an offset within its text can be added. */
  inner?: number;
}

/** A YAML document as plain values, with the position of every node. */
export interface SourceDocument {
  file: string;
  value: unknown;
  /** Position of a node: of its value, or of its key. The nearest ancestor stands in for nodes that do not exist. */
  position(path: DocPath, where?: 'key' | 'value'): { line: number; column: number };
  /** Position of the character `offset` of a scalar's text, where that is known; else of its start. */
  positionIn(path: DocPath, offset: number): { line: number; column: number };
  line(number: number): string;
  /** Syntax errors, duplicate keys and an empty document. */
  diagnostics: Diagnostic[];
}

const keyOf = (path: DocPath): string => JSON.stringify(path);

/** Path as people write it: `stages.train.with[0]`. */
export function formatPath(path: DocPath): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text ? `.${part}` : part;
  return text;
}

/** Reads YAML 1.2, keeping positions; mistakes become diagnostics, never exceptions. */
export function readDocument(source: SourceText): SourceDocument {
  const lineCounter = new LineCounter();
  const doc = parseDocument(source.text, { lineCounter, prettyErrors: false });
  const ranges = new Map<string, Range>();
  const diagnostics: Diagnostic[] = [];
  const lines = source.text.split(/\r?\n/);
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lineCounter.linePos(Math.min(offset, source.text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report = (code: string, message: string, offset: number, path: DocPath = []): void => {
    const place = at(offset);
    diagnostics.push({
      severity: 'error',
      code,
      message,
      file: source.file,
      ...place,
      path: formatPath(path),
      source: lines[place.line - 1],
    });
  };

  for (const error of doc.errors) {
    // Duplicates are reported below, with their path.
    if (error.code === 'DUPLICATE_KEY') continue;
    report('yaml-syntax', `YAML: ${error.message.replace(/\s+/g, ' ')}`, error.pos[0]);
  }
  const value = plain({ doc, report, open: new Set(), aliased: 0 }, doc.contents as Node | null, [], ranges);
  if (!doc.errors.some((e) => e.code !== 'DUPLICATE_KEY') && (value === null || value === undefined))
    report('empty', 'The file is empty: a pipeline begins with `hourglass: v1`', 0);

  const find = (path: DocPath): { range: Range; exact: boolean } => {
    for (let length = path.length; length >= 0; length--) {
      const range = ranges.get(keyOf(path.slice(0, length)));
      if (range) return { range, exact: length === path.length };
    }
    return { range: { value: 0 }, exact: false };
  };
  return {
    file: source.file,
    value,
    diagnostics,
    position(path, where = 'value') {
      const { range, exact } = find(path);
      // Of an ancestor, the key says more than where its block begins.
      const offset = exact && where === 'value' ? (range.value ?? range.key) : (range.key ?? range.value);
      return at(offset ?? 0);
    },
    positionIn(path, offset) {
      const { range, exact } = find(path);
      if (!exact || range.inner === undefined) return at(range.value ?? range.key ?? 0);
      return at(range.inner + offset);
    },
    line: (number) => lines[number - 1] ?? '',
  };
}

/** Nodes that aliases may add: a file that multiplies itself beyond this is no pipeline. */
const MAX_ALIASED = 10_000;

interface Reading {
  doc: Document;
  report: (code: string, message: string, offset: number, path?: DocPath) => void;
  /** Nodes around this one. */
  open: Set<Node>;
  /** Nodes read through aliases so far. */
  aliased: number;
}

function plain(reading: Reading, node: Node | null, path: DocPath, ranges: Map<string, Range> | undefined): unknown {
  if (!node) return null;
  const { doc, report, open } = reading;
  const start = node.range?.[0] ?? 0;
  const known: Range = { ...ranges?.get(keyOf(path)), value: start };
  ranges?.set(keyOf(path), known);
  if (!ranges && ++reading.aliased > MAX_ALIASED) {
    if (reading.aliased === MAX_ALIASED + 1)
      report('yaml-syntax', 'YAML: aliases multiply this file beyond measure', start, path);
    return null;
  }
  if (isAlias(node)) {
    const target = node.resolve(doc);
    if (!target) return null;
    if (open.has(target)) {
      report('yaml-syntax', 'YAML: an alias refers to a node that contains it', start, path);
      return null;
    }
    // What an alias stands for has its positions elsewhere: here, the alias stands for all of it.
    return plain(reading, target, path, undefined);
  }
  open.add(node);
  try {
    if (isMap(node)) return plainMap(reading, node.items as Pair<Node, Node | null>[], path, ranges, start);
    if (isSeq(node)) return (node.items as Node[]).map((item, i) => plain(reading, item, [...path, i], ranges));
    if (!isScalar(node)) return null;
    const oneLine = typeof node.value === 'string' && !node.value.includes('\n');
    if (oneLine && node.type === 'PLAIN') known.inner = start;
    if (oneLine && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')) known.inner = start + 1;
    return typeof node.value === 'bigint' ? Number(node.value) : node.value;
  } finally {
    open.delete(node);
  }
}

function plainMap(
  reading: Reading,
  items: Pair<Node, Node | null>[],
  path: DocPath,
  ranges: Map<string, Range> | undefined,
  start: number,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const pair of items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
    const keyAt = (pair.key as Node | null)?.range?.[0] ?? start;
    if (key === undefined) {
      reading.report('yaml-syntax', 'YAML: a key must be plain text', keyAt, path);
      continue;
    }
    const childPath = [...path, key];
    if (Object.hasOwn(result, key)) {
      reading.report('duplicate-key', `The key \`${key}\` stands here twice`, keyAt, childPath);
      continue;
    }
    ranges?.set(keyOf(childPath), { key: keyAt });
    // defineProperty: a key `__proto__` is a key like any other.
    Object.defineProperty(result, key, {
      value: plain(reading, pair.value, childPath, ranges),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}
