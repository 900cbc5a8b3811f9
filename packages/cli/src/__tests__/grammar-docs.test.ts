import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, formatDiagnostics, type Registry } from '@hourglass/core';
import { discoverPlugins } from '@hourglass/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';

// Examples of docs/grammar.md are pieces of pipelines: what a piece reads and does not define is one of these.
const AROUND = {
  ingest: { uses: 'data/ingest', with: { uri: '../data/wdbc.parquet' } },
  holdout: { uses: 'imputation/mask', with: { data: '${{ stages.ingest.data }}' } },
  train: { uses: 'imputation/train', with: { data: '${{ stages.holdout.masked }}' } },
  impute: {
    uses: 'imputation/impute',
    with: { data: '${{ stages.holdout.masked }}', model: '${{ stages.train.model }}' },
  },
};

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const text = readFileSync(`${root}docs/grammar.md`, 'utf8');
const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml], i): [string, string] => [
  `${i + 1}: ${text
    .slice(0, text.indexOf(yaml!))
    .match(/^##+ (.*)$/gm)!
    .at(-1)!
    .replace(/^#+ /, '')}`,
  yaml!,
]);

let registry: Registry;
beforeAll(async () => {
  ({ registry } = await discoverPlugins({ from: [root] }));
});

function whole(yaml: string): string {
  const { stages, ...head } = parse(yaml);
  return stringify({ hourglass: 'v1', name: 'example', ...head, stages: { ...AROUND, ...stages } });
}

const readFile = (uses: string): { text: string; file: string } => {
  const file = `workflows/pipelines/${uses.replace('./', '')}`;
  expect(existsSync(root + file), `the example names a file that is not there: ${file}`).toBe(true);
  return { text: readFileSync(root + file, 'utf8'), file };
};

/** Names of all keys, wherever they stand. */
function keysOf(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) keysOf(item, found);
  else if (value && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) keysOf(item, found.add(key));
  return found;
}

describe('docs/grammar.md', () => {
  it.each(examples)('example %s compiles', (_, yaml) => {
    const { diagnostics } = compile({ text: whole(yaml), file: 'example.yaml' }, registry, { readFile });
    expect(formatDiagnostics(diagnostics)).toBe('');
  });

  it('has an example of every key of the grammar', () => {
    const schema = JSON.parse(readFileSync(`${root}packages/core/schema/pipeline.v1.json`, 'utf8'));
    const declared = new Set<string>();
    // The grammar's own definitions; those of stages are plugins'.
    const collect = (node: any): void => {
      if (!node || typeof node !== 'object') return;
      for (const [key, child] of Object.entries<any>(node.properties ?? {})) {
        declared.add(key);
        collect(child);
      }
      for (const child of node.anyOf ?? []) collect(child);
    };
    collect(schema);
    for (const [name, definition] of Object.entries(schema.$defs)) if (!name.startsWith('with:')) collect(definition);
    const shown = keysOf(examples.map(([, yaml]) => parse(yaml)));
    expect([...declared].filter((key) => !shown.has(key))).toEqual([]);
  });
});
