import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

const pipeline = toyPipeline(
  `  train:
    uses: toy/work
    with: { steps: "\${{ params.steps }}", score: "\${{ params.score }}", warn: "<b>careful</b>" }
    gate: metrics.score >= metrics.baselines.mean.score
  write: { uses: toy/write, needs: [train], with: { model: "\${{ stages.train.model }}", uri: hello.txt } }
`,
  'title: "A <i>title</i>"\nparams:\n  steps: { type: integer, default: 2 }\n  score: { type: number, default: 0.5 }\n',
);

let w: Workspace;
beforeAll(async () => {
  w = makeWorkspace({ 'p.yaml': pipeline });
  expect((await w.call(['run', 'p.yaml', '--report'])).code).toBe(0);
  expect((await w.call(['run', 'p.yaml', '-p', 'steps=3', '-p', 'score=0.1'])).code).toBe(3);
});
afterAll(() => w.remove());

const ids = async (): Promise<string[]> =>
  (JSON.parse((await w.call(['runs', '--json'])).out) as { id: string }[]).map(({ id }) => id);

describe('a report', () => {
  it('is written beside by run --report, under the name of the run, with data as text', async () => {
    const [file] = readdirSync(w.dir).filter((name) => name.endsWith('.html'));
    expect(file).toBe(`${(await ids()).at(-1)}.html`);
    const page = readFileSync(join(w.dir, file!), 'utf8');
    for (const text of ['A &#60;i&#62;title', '&#60;b&#62;careful', 'metrics.score = 0.5', 'hello.txt', 'first run'])
      expect(page).toContain(text);
    expect(page).not.toMatch(/<script|<b>careful/);
  });

  it('lies where the run delivers, which is said', async () => {
    const other = makeWorkspace({ 'p.yaml': toyPipeline('  work: { uses: toy/work }\n') });
    try {
      const { code, err } = await other.call(['run', 'p.yaml', '--report', '--out', 'deep/out']);
      expect(code).toBe(0);
      const [file] = readdirSync(join(other.dir, 'deep/out')).filter((name) => name.endsWith('.html'));
      expect(err).toContain(`wrote ${join('deep/out', file!)}`);
      expect(readdirSync(other.dir).filter((name) => name.endsWith('.html'))).toEqual([]);
    } finally {
      other.remove();
    }
  });

  it('shows a run that failed, by the first letters of an id, where it is told to', async () => {
    const [failed] = await ids();
    const { code, err } = await w.call(['report', failed!, '-o', 'sub/failed.html']);
    expect(code).toBe(0);
    expect(err).toContain('wrote sub/failed.html');
    expect(readFileSync(join(w.dir, 'sub/failed.html'), 'utf8')).toMatch(/gate failed[^]*GATE_FAILED/);
  });

  it('gives JSON and Markdown instead, to stdout', async () => {
    const report = JSON.parse((await w.call(['report', '--json'])).out);
    expect(report.run.status).toBe('failed');
    expect(report.metrics[0].value.score).toBe(0.1);
    const { out } = await w.call(['report', '--markdown']);
    expect(out).toMatch(/\| train \| ✗ gate failed/);
    expect((await w.call(['report', '--markdown', '--json'])).code).toBe(2);
  });

  it('shows a run that was interrupted: what was done, and what was stopped', async () => {
    const other = makeWorkspace({
      'p.yaml': toyPipeline(
        `  first: { uses: toy/work }
  slow: { uses: toy/work, needs: [first], with: { steps: 600, delay: 100 } }
  last: { uses: toy/work, needs: [slow] }
`,
        'title: 乳腺癌\n',
      ),
    });
    try {
      const run = other.start(['run', 'p.yaml', '--plain']);
      await run.until('slow');
      process.kill(-run.child.pid!, 'SIGINT');
      expect((await run.ended).code).toBe(130);
      expect((await other.call(['report', '-o', 'stopped.html'])).code).toBe(0);
      const page = readFileSync(join(other.dir, 'stopped.html'), 'utf8');
      expect(page).toContain('<h1>乳腺癌</h1>');
      expect(page).toContain('■ interrupted');
      const { out } = await other.call(['report', '--markdown']);
      expect(out).toMatch(/^## ■ 乳腺癌 interrupted in /);
      expect(out).toMatch(/\| first \| ✓ done[^]*\| slow \| ■ stopped[^]*\| last \| · waiting/);
      const { stages } = JSON.parse((await other.call(['report', '--json'])).out);
      expect(stages.map(({ status }: { status: string }) => status)).toEqual(['done', 'stopped', 'waiting']);
    } finally {
      other.remove();
    }
  });

  it('of a run that is not there says so and leaves no file', async () => {
    const { code, err } = await w.call(['report', 'nothing', '-o', 'none.html']);
    expect(code).toBe(2);
    expect(err).toContain('RUN_NOT_FOUND');
    expect(existsSync(join(w.dir, 'none.html'))).toBe(false);
  });

  it('compares runs: what differs, metrics with their changes, a page', async () => {
    const [second, first] = await ids();
    const { code, out } = await w.call(['compare', first!, second!, '-o', 'both.html']);
    expect(code).toBe(0);
    expect(out).toMatch(/params\.steps +2 +3/);
    expect(out).toMatch(/train\.score +0\.5 +0\.1 \(−80 %\)/);
    expect(readFileSync(join(w.dir, 'both.html'), 'utf8')).toContain('What differs');
    expect((await w.call(['compare', first!])).code).toBe(2);
  });

  it('compares runs of different pipelines: what one has not stays empty', async () => {
    const [, first] = await ids();
    w.write(
      'q.yaml',
      toyPipeline('  other: { uses: toy/work, with: { score: 0.7 } }\n').replace('name: toy', 'name: odd'),
    );
    expect((await w.call(['run', 'q.yaml'])).code).toBe(0);
    const [odd] = await ids();
    const { code, out } = await w.call(['compare', first!, odd!, '-o', 'odd.html']);
    expect(code).toBe(0);
    expect(out).toMatch(/pipeline +toy +odd/);
    expect(out).toMatch(/train\.score +0\.5 +–/);
    expect(out).toMatch(/other\.score +– +0\.7/);
    expect(readFileSync(join(w.dir, 'odd.html'), 'utf8')).toContain('other.score');
  });
});
