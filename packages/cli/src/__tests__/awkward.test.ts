import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace();
});
afterAll(() => w.remove());

const named = (name: string, text: string): string => text.replace('name: toy', `name: ${name}`);
const newest = async (pipeline: string): Promise<{ id: string; status: string }> =>
  JSON.parse((await w.call(['runs', '--json', '--pipeline', pipeline])).out)[0];

/** Every mistake of a person is told without a stack. */
const NO_STACK = /^\s+at .*:\d+:\d+\)?$/m;

describe('a grammar stretched', () => {
  const each = (list: string, budget: string): string =>
    named(
      'each',
      toyPipeline(
        `  each:
    uses: toy/work
    forEach: { in: "\${{ params.list }}", as: steps, failureBudget: ${budget} }
    with: { steps: "\${{ steps }}", fail: "\${{ steps > 2.0 ? 'diverge' : 'no' }}" }
`,
        `params: { list: { type: list, default: ${list} } }\n`,
      ),
    );

  const cases: [string, string, number, RegExp[]][] = [
    [
      'forEach over nothing',
      each('[]', '0'),
      1,
      [/DATA_INSUFFICIENT/, /nothing to go through. Guard the stage with `when`/],
    ],
    [
      'all items failing, budget 100 %',
      each('[3, 4]', '"100%"'),
      1,
      [/TRAINING_DIVERGED/, /all 2 items tried failed: [34] \(TRAINING_DIVERGED\), [34] /],
    ],
    ['one item failing, budget 100 %', each('[1, 4]', '"100%"'), 0, [/1 of 2 items, 1 failed/, /! each\[4\] failed/]],
    ['one item failing, budget 0', each('[1, 4]', '0'), 1, [/1 of 2 items failed, 0 are tolerated: 4 /]],
    [
      'a sweep of one point',
      named(
        'one',
        toyPipeline(
          '  s: { uses: toy/work, sweep: { values: [0.5], as: x, select: { metric: score } }, with: { score: "${{ x }}" } }\n',
        ),
      ),
      0,
      [/0\.5 +0\.5 +← selected/],
    ],
    [
      'a sweep none of whose points has a score',
      named(
        'none',
        toyPipeline(
          '  s: { uses: toy/work, sweep: { values: [0.5, 0.25], as: x, select: { metric: metrics.score / 0.0 - metrics.score / 0.0 } }, with: { score: "${{ x }}" } }\n',
        ),
      ),
      1,
      [/no point can be selected/, /has no finite value for any of 2 points \(0\.5; 0\.25\)/],
    ],
  ];
  it.each(cases)('%s', async (_, text, code, messages) => {
    w.write('case.yaml', text);
    const run = await w.call(['run', 'case.yaml']);
    for (const message of messages) expect(run.out).toMatch(message);
    expect(run.code).toBe(code);
    expect(run.out + run.err).not.toMatch(NO_STACK);
  });

  it('more items than a run can hold are refused before the first one runs', async () => {
    w.write('case.yaml', named('many', each('[1]', '0')));
    const list = JSON.stringify(Array.from({ length: 100_001 }, (_, i) => i));
    const { code, out } = await w.call(['run', 'case.yaml', '-p', `list=${list}`]);
    expect(out).toMatch(/OPTION_INVALID\n[^]*would go through 100001 items, at most 100000 are allowed/);
    expect(out).not.toMatch(/\d failed/);
    expect(code).toBe(1);
  });

  it('a stage inside a group is reached by its outputs alone, and files that contain themselves are refused', async () => {
    w.write(
      'case.yaml',
      toyPipeline(`  g:
    stages: { train: { uses: toy/work } }
    outputs: { model: "\${{ stages.train.model }}" }
  a: { uses: toy/work, with: { model: "\${{ stages.train.model }}" } }
  b: { uses: toy/work, with: { model: "\${{ stages.g.modle }}" } }
  c: { uses: ./case.yaml }
`),
    );
    const { code, out } = await w.call(['validate', 'case.yaml']);
    expect(code).toBe(2);
    expect(out).toMatch(
      /case\.yaml:7:\d+ error: There is no stage `train` here: it is inside the group `g`, whose outputs alone can be read/,
    );
    expect(out).toMatch(/case\.yaml:8:\d+ error: Stage `g` has no output `modle`[^]*did you mean model\?/);
    expect(out).toMatch(/case\.yaml:9:\d+ error: This file contains itself: case\.yaml → case\.yaml/);
  });
});

describe('names', () => {
  const publish = (score: number): string =>
    named('pub', toyPipeline(`  train: { uses: toy/work, with: { score: ${score} } }\n`)) +
    'publish: { imputer: "${{ stages.train.model }}" }\n';
  const use = (reference: string): string =>
    named('use', toyPipeline(`  more: { uses: toy/work, with: { model: "\${{ named('${reference}') }}" } }\n`));

  it('of two runs that publish at once none is lost', async () => {
    w.write('p1.yaml', publish(0.1));
    w.write('p2.yaml', publish(0.2).replace('name: pub', 'name: pub2'));
    const runs = [w.start(['run', 'p1.yaml']), w.start(['run', 'p2.yaml'])];
    const ended = await Promise.all(runs.map((run) => run.ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const { versions } = JSON.parse((await w.call(['names', 'history', 'imputer', '--json'])).out);
    expect(versions.map(({ version }: { version: number }) => version)).toEqual([1, 2]);
    expect(new Set(versions.map(({ ref }: { ref: { digest: string } }) => ref.digest)).size).toBe(2);
  });

  it('that do not exist are told with near ones, before anything runs', async () => {
    for (const [reference, message] of [
      ['imputr@latest', /NAME_NOT_FOUND No artifact was published as "imputr"\. Did you mean "imputer"\?/],
      ['imputer@9', /"imputer" has no version or alias "9": its versions are 1 to 2/],
      ['imputer@champion', /no version or alias "champion"/],
    ] as const) {
      w.write('use.yaml', use(reference));
      const { code, err } = await w.call(['run', 'use.yaml']);
      expect(err).toMatch(message);
      expect(code).toBe(2);
    }
  });

  it('of a version that was collected say so', async () => {
    const { ref } = JSON.parse((await w.call(['names', 'show', 'imputer@1', '--json'])).out);
    const store = join(w.dir, '.hourglass');
    const [manifest] = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.startsWith('artifacts') && name.replaceAll('/', '').includes(ref.digest),
    );
    rmSync(join(store, manifest!));
    w.write('use.yaml', use('imputer@1'));
    const { code, err } = await w.call(['run', 'use.yaml']);
    expect(err).toMatch(/ARTIFACT_NOT_FOUND imputer@1 was published by run .*it was collected\. Use a later version/);
    expect(code).not.toBe(0);
  });
});

describe('a run that is under way', () => {
  it('is not retried, but a stage of it that failed and is held open is, with options changed', async () => {
    w.write(
      'held.yaml',
      named(
        'held',
        toyPipeline(`  slow: { uses: toy/work, with: { steps: 100, delay: 100 } }
  bad: { uses: toy/work, onFailure: { wait: 1h }, with: { fail: diverge } }
  worse: { uses: toy/work, onFailure: { wait: 1h }, with: { fail: diverge, score: 0.9 } }
`),
      ),
    );
    const run = w.start(['run', 'held.yaml', '--plain', '--max-parallel', '3'], { HOURGLASS_SLOTS: '3' });
    await run.until('slow   ▸ started');
    const { id, status } = await newest('held');
    expect(status).toBe('running');
    await run.until('hourglass retry');
    await run.until('--skip worse');
    await run.until('--skip bad');
    expect((await w.call(['retry', id, '--with', 'slow.steps=1'])).err).toMatch(/--with can change .*bad.*, not slow/);
    expect((await w.call(['retry', id, '--with', 'bad.fail=no'])).out).toMatch(/✓ bad of .*: tried again/);
    await run.until('bad    ✓ done');
    expect((await w.call(['reject', id, 'worse', '--by', 'ada'])).out).toMatch(/worse of .*: rejected by ada/);
    await run.until('worse  ✗ failed');
    expect((await w.call(['retry', id])).err).toMatch(
      /RUN_STATE Run .* is still running, and no stage of it is held open/,
    );
    process.kill(-run.child.pid!, 'SIGINT');
    expect((await run.ended).code).toBe(130);
  });
});

describe('disks', () => {
  /** A disk of its own of a few kB, where this process may mount one. */
  function smallDisk(size: string): string | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'hourglass-disk-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      onTestFinished(remove);
      return undefined;
    }
    onTestFinished(() => {
      execFileSync('umount', [folder]);
      remove();
    });
    return folder;
  }

  it('full: the stage fails with DISK_FULL, nothing half-written stays, and there is room again it goes on', async () => {
    const disk = smallDisk('640k');
    w.write(
      'full.yaml',
      named(
        'full',
        toyPipeline(
          `  train: { uses: toy/work }\n  write: { uses: toy/write, with: { model: "\${{ stages.train.model }}", uri: out.txt, text: "${'x'.repeat(700_000)}" } }\n`,
        ),
      ),
    );
    // Where mounting is not allowed, the store's own tests show the way from errno to message.
    if (disk === undefined) return;
    const sink = await w.call(['run', 'full.yaml', '--out', disk]);
    expect(sink.out).toMatch(/write failed: DISK_FULL\n +Stage write found no room left to write: ENOSPC/);
    expect(sink.code).toBe(1);
    rmSync(join(disk, 'out.txt'), { force: true });
    writeFileSync(join(disk, 'ballast'), 'x'.repeat(600_000));
    const store = join(disk, 'store');
    const { code, out, err } = await w.call(['run', 'full.yaml', '--store', store]);
    expect(out + err).toMatch(/DISK_FULL/);
    expect(out + err).toMatch(/artifacts gc/);
    expect(code).toBe(1);
    expect(out + err).not.toMatch(NO_STACK);
    rmSync(join(disk, 'ballast'));
    w.write('full.yaml', named('full', toyPipeline('  train: { uses: toy/work }\n')));
    expect((await w.call(['run', 'full.yaml', '--store', store])).code).toBe(0);
    expect((await w.call(['artifacts', 'verify', '--store', store])).out).toMatch(/every byte is as it was written/);
  });

  it('read-only: what is there can be seen and planned with, a run is refused with the reason', async () => {
    const disk = smallDisk('2m');
    const store = join(disk ?? mkdtempSync(join(tmpdir(), 'hourglass-ro-')), 'store');
    w.write('ro.yaml', named('ro', toyPipeline('  train: { uses: toy/work }\n')));
    expect((await w.call(['run', 'ro.yaml', '--store', store])).code).toBe(0);
    if (disk !== undefined) execFileSync('mount', ['-o', 'remount,ro', disk]);
    else {
      mkdirSync(store, { recursive: true });
      for (const name of ['', ...readdirSync(store, { recursive: true, encoding: 'utf8' })])
        chmodSync(join(store, name), 0o555);
      // Permissions do not stop the superuser.
      if (process.getuid?.() === 0) return;
    }
    expect((await w.call(['plan', 'ro.yaml', '--store', store])).out).toMatch(/train +HIT/);
    expect((await w.call(['runs', '--store', store])).out).toMatch(/ro-.* succeeded/);
    const { code, err } = await w.call(['run', 'ro.yaml', '--store', store]);
    expect(err).toMatch(
      /STORE_UNWRITABLE .*cannot be written: (the filesystem is read-only|permission denied) at .*--store/,
    );
    expect(code).toBe(1);
  });
});
