import { describe, expect, it } from 'vitest';
import { brokenLinks } from '../broken-links.ts';

const check = (files: Record<string, string>, others: string[] = []): string[] =>
  brokenLinks(new Map(Object.entries(files)), (path) => path in files || others.includes(path)).broken.map(
    ({ file, line, target }) => `${file}:${line} ${target}`,
  );

describe('links of Markdown files', () => {
  it('to files and folders, from where the file is', () => {
    expect(
      check({ 'docs/a.md': '[b](b.md) [r](../README.md)\n\n![p](p.png)', 'docs/b.md': '', 'README.md': '[d](docs)' }, [
        'docs',
      ]),
    ).toEqual(['docs/a.md:3 p.png']);
    expect(check({ 'a.md': '[x](../x.md)' }, ['../x.md'])).toEqual(['a.md:1 ../x.md']);
  });

  it('to headings, as they are written there', () => {
    const b = '# People: `approve` and `onFailure`\n## Twice\n## Twice\n```\n## Code\n```\n## Größe [link](a.md)\n';
    const links = ['people-approve-and-onfailure', 'twice', 'twice-1', 'größe-link', 'code', 'twice-2'];
    expect(check({ 'a.md': links.map((id) => `[l](b.md#${id})`).join('\n'), 'b.md': b })).toEqual([
      'a.md:5 b.md#code',
      'a.md:6 b.md#twice-2',
    ]);
    expect(check({ 'a.md': '# One\n[l](#one) [l](#two)' })).toEqual(['a.md:2 #two']);
  });

  it('by reference too; the web and what stands in code are left alone', () => {
    expect(
      check({
        'a.md':
          '[r]\n\n[r]: gone.md\n\n`[c](c.md)` [w](https://w.org/x.md)\n\n```md\n[f](f.md)\n```\n[g](g.md "title")',
      }),
    ).toEqual(['a.md:3 gone.md', 'a.md:10 g.md']);
  });
});
