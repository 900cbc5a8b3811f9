import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { pluginFiles } from '../new-plugin.ts';

const repository = new URL('../../../../', import.meta.url);
const guide = readFileSync(new URL('docs/write-a-plugin.md', repository), 'utf8');
/** Formatters lay out a part of a file otherwise than the whole. */
const bare = (text: string): string =>
  text
    .replace(/\s+/g, '')
    .replace(/,(?=[)}\]])/g, '')
    .replace(/[;,]$/, '');

it('shows code of the template as it is', () => {
  const blocks = [...guide.matchAll(/```ts\n([^]*?)```/g)].map(([, block]) => block!);
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  for (const block of blocks) {
    const [, path, code] = /^\/\/ from (\S+)\n([^]*)$/.exec(block) ?? [];
    expect(path, block).toBeDefined();
    expect(bare(readFileSync(new URL(path!, repository), 'utf8'))).toContain(bare(code!));
  }
});

it('names the files and the scripts that a new plugin has', () => {
  const files = pluginFiles({ name: 'churn-score', place: 'standalone' });
  const named = [...guide.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThanOrEqual(6);
  for (const path of named) expect([...files.keys()]).toContain(path);
  const { scripts, peerDependencies } = JSON.parse(files.get('package.json')!);
  for (const [, script] of guide.matchAll(/`(prepublishOnly)`|npm (test)\b/g))
    if (script) expect(scripts).toHaveProperty(script);
  expect(scripts).toHaveProperty('test');
  expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining(['@hourglass/plugin-kit', '@tensorflow/tfjs']));
});
