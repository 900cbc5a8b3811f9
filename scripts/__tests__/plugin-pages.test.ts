import { artifact, definePlugin, defineStage } from '@hourglass/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pluginPages } from '../generate/plugin-pages.ts';

const manifest = definePlugin({
  name: 'toy',
  summary: 'Plays',
  stages: {
    play: defineStage({
      id: 'toy/play',
      version: 3,
      summary: 'Play | a while',
      inputs: { data: artifact.dataset('Rows to play with') },
      outputs: { score: artifact.metrics(z.object({ fun: z.number() })) },
      options: z.object({
        mode: z.enum(['soft', 'hard']).default('soft').describe('How <hard>'),
        uri: z.string().describe('Where to'),
      }),
      sinks: ['uri'],
    }),
  },
});

const readme = `# @hourglass/plugin-toy

Lead.

## What it does

Plays: [grammar](../../docs/grammar.md#keys), [here](#errors), [web](https://example.com/x.md), \`[code](../x.md)\`.

\`\`\`md
## No heading
[a](b.md)
\`\`\`

## Errors

None.
`;

const pages = pluginPages(
  [{ manifest, packageName: '@hourglass/plugin-toy', folder: 'packages/plugin-toy', readme }],
  [
    { file: 'workflows/pipelines/a.yaml', text: 'stages:\n  s: { uses: toy/play }\n' },
    { file: 'workflows/pipelines/b.yaml', text: 'stages:\n  s: { uses: toys/play }\n' },
  ],
);
const page = pages['toy.md']!;

describe('the page of a plugin', () => {
  it('says what the README says, with the stages as the manifest has them before the errors', () => {
    const heads = [...page.matchAll(/^##+ (.*)/gm)].map(([, head]) => head);
    expect(heads).toEqual(['What it does', 'No heading', 'Every stage', 'toy/play', 'Errors']);
    expect(page).toContain('None.');
    expect(page).not.toContain('Lead.');
  });

  it('lists inputs, outputs and every option with type, default and meaning, as text', () => {
    expect(page).toContain('Play \\| a while. _version 3_');
    expect(page).toContain('| input | `data` | dataset | Rows to play with |');
    expect(page).toContain('| output | `score` | metrics | metrics: fun |');
    expect(page).toContain('| `mode` | soft \\| hard | `"soft"` | How \\<hard\\> |');
    expect(page).toContain('| `uri` | string | **required** | Where to (written) |');
  });

  it('keeps links right from where it stands, and names the pipelines that use it', () => {
    expect(page).toContain(
      '[grammar](../grammar.md#keys), [here](#errors), [web](https://example.com/x.md), `[code](../x.md)`.',
    );
    expect(page).toContain('```md\n## No heading\n[a](b.md)\n```');
    expect(page).toContain('[a](../../workflows/pipelines/a.yaml)');
    expect(page).not.toContain('b.yaml');
  });

  it('is named in the index, with its stages', () => {
    expect(pages['README.md']).toContain('| [toy](toy.md) | Plays | [play](toy.md#toyplay) |');
  });
});
