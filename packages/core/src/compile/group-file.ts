import type { DocPath } from '../document.ts';
import { readDocument } from '../document.ts';
import { declareLevel } from './level.ts';
import type { Level } from './level.ts';
import { readParams } from './params.ts';
import { createReporter, isFields } from './reporter.ts';

/** Reads `uses: ./other.yaml`: a pipeline as a group, which sees its own params only. */
export function readGroupFile(level: Level, path: DocPath, uses: string): Level | undefined {
  const { c, r, files } = level;
  if (!c.readFile) {
    r.report(path, 'file-unreadable', `\`${uses}\` cannot be read here: this host gives no access to files`);
    return undefined;
  }
  const source = c.readFile(uses, r.doc.file);
  if ('error' in source) {
    r.report(path, 'file-unreadable', `\`${uses}\` cannot be used: ${source.error}`);
    return undefined;
  }
  if (files.includes(source.file)) {
    r.report(path, 'recursion', `This file contains itself: ${[...files, source.file].join(' → ')}`, {
      expected: 'a file that does not lead back here',
    });
    return undefined;
  }
  const doc = readDocument(source);
  c.diagnostics.push(...doc.diagnostics);
  const inner = createReporter(doc, c.diagnostics);
  if (!isFields(doc.value)) {
    if (doc.diagnostics.length === 0) inner.report([], 'wrong-type', 'A pipeline must be a mapping');
    return undefined;
  }
  for (const key of ['schedule', 'publish'])
    if (doc.value[key] !== undefined)
      inner.report([key], 'ignored', `\`${key}\` has no effect where this file is used as a group (by ${r.doc.file})`, {
        severity: 'warning',
        at: 'key',
      });
  return declareLevel(
    {
      c,
      r: inner,
      path: ['stages'],
      params: readParams(inner, ['params'], doc.value.params),
      variables: {},
      files: [...files, source.file],
      dir: joinPath(level.dir, uses.replace(/[^/]*$/, '')),
    },
    doc.value.stages,
  );
}

/** `a/b` + `../c` = `a/c`, without node:path. */
export function joinPath(base: string, relative: string): string {
  const parts: string[] = [];
  for (const part of `${base}/${relative}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
