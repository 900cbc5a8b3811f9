import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { s3TestServer } from '@hourglass/artifacts/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

const pipeline = toyPipeline(`  ingest: { uses: data/ingest, with: { uri: table.csv } }
  split: { uses: data/split, with: { data: "\${{ stages.ingest.data }}", test: 0.25 } }
  train: { uses: toy/work, with: { steps: 2 } }
  export: { uses: data/export, with: { data: "\${{ stages.split.train }}", uri: out.csv } }
`);
const table = `id,x\n${Array.from({ length: 40 }, (_, i) => `${i},${i / 7}`).join('\n')}\n`;

const server = await s3TestServer();

describe.skipIf(server === undefined)('two machines that share nothing but object storage', () => {
  let ada: Workspace;
  let bob: Workspace;
  beforeAll(async () => {
    await server!.makeBucket('shared');
    const files = { 'p.yaml': pipeline, 'table.csv': table };
    [ada, bob] = [makeWorkspace(files), makeWorkspace(files)];
  });
  afterAll(async () => {
    ada.remove();
    bob.remove();
    await server!.stop();
  });
  const on = (machine: Workspace, ...argv: string[]) =>
    machine.start(argv, {
      ...server!.env(),
      HOURGLASS_HOME: 's3://shared/team/store',
      XDG_CACHE_HOME: join(machine.dir, 'cache'),
    }).ended;

  it('find each other’s results, and deliver the same bytes', async () => {
    const first = await on(ada, 'run', 'p.yaml');
    expect(first.code, first.out + first.err).toBe(0);
    expect(first.out).toMatch(/4 stages, 0 cached/);
    const second = await on(bob, 'run', 'p.yaml');
    expect(second.code, second.out + second.err).toBe(0);
    // The destination is another one: it is written from what the other machine put into the store.
    expect(second.out).toMatch(/4 stages, 3 cached/);
    const [one, other] = [ada, bob].map(({ dir }) => readFileSync(join(dir, 'out.csv'), 'utf8'));
    expect(one!.split('\n').length).toBeGreaterThan(20);
    expect(other).toBe(one);
  });

  it('see each other’s runs', async () => {
    const runs = JSON.parse((await on(bob, 'runs', '--json')).out) as { id: string; status: string }[];
    expect(runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const shown = await on(bob, 'runs', 'show', runs[1]!.id);
    expect(shown.out).toMatch(/train +done/);
  });

  it('can be examined and cleaned', async () => {
    expect((await on(bob, 'doctor')).out).toMatch(/store +s3:\/\/shared\/team\/store can be written/);
    const verified = await on(bob, 'artifacts', 'verify');
    expect(verified.code, verified.out + verified.err).toBe(0);
  });
});
