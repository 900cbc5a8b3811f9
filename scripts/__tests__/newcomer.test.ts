import { readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { ERROR_CODES } from '@hourglass/core';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf } from '../broken-links.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');

/** What a link shows: its page from the heading it names to the next of that level, or the whole page. */
function follow(from: string, target: string): { file: string; text: string } {
  const [path, anchor] = target.split('#') as [string, string?];
  const file = path === '' ? from : posix.join(dirname(from), path);
  const text = read(file);
  if (anchor === undefined) return { file, text };
  const anchors = anchorsOf(text);
  const line = anchors.get(anchor)!;
  expect(line, `${file} has #${anchor}`).toBeDefined();
  const lines = text.split('\n');
  const level = (at: number): number => /^#*/.exec(lines[at - 1]!)![0].length;
  const end = [...anchors.values()].find((at) => at > line && level(at) <= level(line));
  return { file, text: lines.slice(line - 1, end === undefined ? undefined : end - 1).join('\n') };
}

/** Everything that one and two clicks from the README's line about a question show. */
function shown(question: string): { first: string; second: string[] } {
  const row = readme.split('\n').find((line) => line.startsWith(`| ${question} `));
  expect(row, `the README has a line "${question}"`).toBeDefined();
  const [link] = linksOf(row!);
  const { file, text } = follow('README.md', link!.target);
  const next = [...linksOf(text)].filter(({ target }) => !/^[a-z]+:/.test(target) && /\.md(#|$)|^#/.test(target));
  return { first: text, second: next.map(({ target }) => follow(file, target).text) };
}

describe('a newcomer who reads the README finds', () => {
  it('how to run a table of their own: a pipeline proposed, run, judged and used, one click away', () => {
    const { first, second } = shown('run my own table');
    for (const command of ['init', 'validate', 'run', 'compare', 'apply'])
      expect(first).toMatch(new RegExp(`^npx hourglass ${command} \\S`, 'm'));
    // And from there what any option means, when it is to run by itself, and what an error says.
    expect(second.some((text) => /^# Plugins$/m.test(text))).toBe(true);
    expect(second.some((text) => /^## Schedules$/m.test(text))).toBe(true);
    expect(second.some((text) => /^# Errors$/m.test(text))).toBe(true);
  });

  it('how to put it on a schedule: what to write into the file, and the commands', () => {
    const { first } = shown('put it on a schedule');
    expect(first).toMatch(/^schedule: \{ cron: /m);
    expect(first).toMatch(/^hourglass schedule apply /m);
    expect(first).toMatch(/backfill/);
    expect(first.length).toBeLessThan(4000);
  });

  it('how to add an application: from the first command to a published package', () => {
    const { first } = shown('add an application');
    expect(first).toMatch(/^npx hourglass plugin new /m);
    for (const heading of ['The four things', 'Options', 'Tests', 'Publish'])
      expect(first).toMatch(new RegExp(`^## ${heading}$`, 'm'));
  });

  it('what any error means', () => {
    const { first } = shown('what does this error mean');
    for (const [code, { meaning, remedy }] of Object.entries(ERROR_CODES)) {
      expect(first).toContain(`\`${code}\``);
      expect(first).toContain(meaning);
      expect(first).toContain(remedy);
    }
  });

  it('every application, from its row to its options and errors', () => {
    const rows = readme.slice(readme.indexOf('## What it is for')).split('\n').slice(2);
    const applications = rows.slice(2, rows.indexOf(''));
    expect(applications).toHaveLength(8);
    for (const row of applications) {
      const [link] = linksOf(row);
      const { text } = follow('README.md', link!.target);
      for (const heading of ['Pipeline example', 'Every stage', 'Method and its limits', 'Errors'])
        expect(text, link!.target).toMatch(new RegExp(`^## ${heading}$`, 'm'));
      expect(text).toMatch(/^\| `\w+` +\| /m);
    }
  });
});
