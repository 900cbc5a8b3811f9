import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

const two = toyPipeline(
  `  train:
    uses: toy/work
    with: { steps: "\${{ params.steps }}", score: "\${{ params.score }}", warn: two columns are constant }
    gate: metrics.score >= metrics.baselines.mean.score
  write: { uses: toy/write, needs: [train], with: { model: "\${{ stages.train.model }}", uri: hello.txt } }
`,
  'seed: 7\nparams:\n  steps: { type: integer, default: 2 }\n  score: { type: number, default: 0.5 }\n',
);

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace({ 'two.yaml': two });
});
afterAll(() => w.remove());

describe('a run', () => {
  it('ends with 0 and a summary: stages, metrics beside baselines, gate, warnings, files', async () => {
    const { code, out } = await w.call(['run', 'two.yaml']);
    expect(out).toMatch(/✓ train +done/);
    expect(code).toBe(0);
    expect(out).toMatch(/! train +two columns are constant/);
    expect(out).toMatch(/this model +0\.5[^]*mean +0\.45/);
    expect(out).toContain('gate of train passed: metrics.score = 0.5 >= metrics.baselines.mean.score = 0.45');
    expect(out).toMatch(/wrote hello\.txt +6 B/);
    expect(out).toMatch(/toy succeeded in .*2 stages, 0 cached/);
    expect(readFileSync(join(w.dir, 'hello.txt'), 'utf8')).toBe('hello\n');
  });

  it('a second time takes every stage from the cache', async () => {
    expect((await w.call(['plan', 'two.yaml'])).out).toMatch(/2 hits · 0 to run/);
    expect((await w.call(['run', 'two.yaml'])).out).toMatch(/all stages cached/);
  });

  it('plan says what a change costs, and why, before it is made', async () => {
    const { code, out } = await w.call(['plan', 'two.yaml', '-p', 'steps=3']);
    expect(code).toBe(0);
    expect(out).toMatch(/train +RUN +option steps: 2 → 3/);
    expect(out).toMatch(/write +UNKNOWN +waits for train/);
    const json = JSON.parse((await w.call(['plan', 'two.yaml', '--json'])).out);
    expect(json.stages.map((stage: any) => stage.status)).toEqual(['HIT', 'HIT']);
  });

  it('--force takes a file after it for the pipeline, not for a stage', async () => {
    expect((await w.call(['plan', '--force', 'two.yaml'])).out).toMatch(/train +RUN +forced/);
  });

  it('writes a destination again that was edited, and says so', async () => {
    writeFileSync(join(w.dir, 'hello.txt'), 'edited');
    expect((await w.call(['plan', 'two.yaml'])).out).toMatch(/write +RUN +.*hello\.txt.*(edited|changed)/);
    expect((await w.call(['run', 'two.yaml'])).code).toBe(0);
    expect(readFileSync(join(w.dir, 'hello.txt'), 'utf8')).toBe('hello\n');
  });

  it('ends with 3 where a gate says no, with both sides, and keeps what depends on it from running', async () => {
    rmSync(join(w.dir, 'hello.txt'));
    const { code, out } = await w.call(['run', 'two.yaml', '-p', 'score=0.1']);
    expect(code).toBe(3);
    expect(out).toContain('gate of train failed: metrics.score = 0.1 < metrics.baselines.mean.score = 0.45');
    expect(out).toMatch(/write +blocked/);
    expect(existsSync(join(w.dir, 'hello.txt'))).toBe(false);
  });

  it('ends with 1 where a stage fails: message and remedy, no stack; the others still run', async () => {
    w.write(
      'fails.yaml',
      toyPipeline(
        '  bad: { uses: toy/work, with: { fail: diverge } }\n  after: { uses: toy/work, needs: [bad] }\n  good: { uses: toy/work }\n',
      ),
    );
    const { code, out, err } = await w.call(['run', 'fails.yaml']);
    expect(code).toBe(1);
    expect(out).toMatch(/bad failed: TRAINING_DIVERGED\n +The loss is NaN at step 1/);
    expect(out).toContain('→ Lower the learning rate or check the data.');
    expect(out).toMatch(/after +blocked/);
    expect(out).toMatch(/good +done/);
    expect(out + err).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  });

  it('says behind --debug what lies behind a failure, and a warning of several attempts once', async () => {
    const once = '{ fail: error, warn: mind the gap }, retry: { maxAttempts: 2, initialInterval: 1s }';
    w.write('foreign.yaml', toyPipeline(`  bad: { uses: toy/work, with: ${once} }\n`));
    const { out } = await w.call(['run', 'foreign.yaml', '--debug']);
    expect(out).toContain('failed after 2 attempts: STAGE_FAILED');
    expect(out).toMatch(/Error: something foreign broke\n\s+at .*work\.ts:\d+/);
    // As it is said, and in the summary.
    expect(out.match(/mind the gap/g)).toHaveLength(2);
    expect((await w.call(['run', 'foreign.yaml'])).out).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  });

  it('--json is one object a line, from the run to its result', async () => {
    const { code, out } = await w.call(['run', 'two.yaml', '--json', '-p', 'steps=4']);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(events[0]).toMatchObject({ type: 'run', pipeline: 'toy' });
    expect(events.filter(({ type }) => type === 'progress').length).toBeGreaterThan(0);
    // On a busy machine it is said that a stage waits for a free slot, too.
    const logs = events.filter(({ type }) => type === 'log');
    expect(logs).toContainEqual(expect.objectContaining({ level: 'warn', path: 'train' }));
    expect(events.at(-1)).toMatchObject({ type: 'result', status: 'succeeded', exitCode: 0, seed: 7 });
    expect(events.at(-1).metrics[0].value.score).toBe(0.5);
  });

  it('runs and runs show tell what was done, and artifacts where it came from', async () => {
    const list = await w.call(['runs', '--pipeline', 'toy']);
    expect(list.out).toMatch(/succeeded +just now .*score 0\.5/);
    expect(list.out).toMatch(/failed/);
    const latest = JSON.parse((await w.call(['runs', '--json'])).out)[0];
    const show = await w.call(['runs', 'show', latest.id]);
    expect(show.out).toMatch(/params +steps = 4/);
    expect(show.out).toMatch(/train +done .*option steps: 2 → 4/);
    const models = JSON.parse((await w.call(['artifacts', 'ls', '--kind', 'model', '--json'])).out);
    const digest = models[0].ref.digest;
    expect((await w.call(['artifacts', 'show', digest.slice(0, 12)])).out).toMatch(/model[^]*from +toy › /);
    expect((await w.call(['artifacts', 'verify'])).out).toMatch(/every byte is as it was written/);
    expect((await w.call(['artifacts', 'gc', '--dry-run'])).code).toBe(0);
    expect((await w.call(['apply', models[0].ref.digest, 'x.parquet'])).err).toMatch(
      /MODEL_INCOMPATIBLE|SOURCE_NOT_FOUND/,
    );
  });
});

describe('the list of runs', () => {
  it('is narrowed and sorted, with the metric that sorts in front', async () => {
    const scored = (score: number): string =>
      toyPipeline(`  train: { uses: toy/work, with: { score: ${score} } }\n`).replace('name: toy', 'name: scored');
    for (const score of [0.3, 0.1, 0.2]) {
      w.write('scored.yaml', scored(score));
      await w.call(['run', 'scored.yaml']);
    }
    w.write('scored.yaml', scored(0.4).replace('score: 0.4', 'fail: diverge'));
    await w.call(['run', 'scored.yaml']);
    const lines = async (...argv: string[]): Promise<string[]> =>
      (await w.call(['runs', '--pipeline', 'scored', ...argv])).out.trimEnd().split('\n').slice(1);
    expect((await lines('--sort', 'score')).map((line) => /score (\S+)/.exec(line)?.[1])).toEqual([
      ...['0.1', '0.2', '0.3'],
      undefined,
    ]);
    expect(await lines('--status', 'failed')).toHaveLength(1);
    expect(await lines('--since', '1h', '--limit', '2')).toHaveLength(3); // and "2 more"
    expect((await w.call(['runs', '--pipeline', 'scorde'])).out).toMatch(/No runs of scorde .*Did you mean scored\?/);
    expect((await w.call(['runs', '--status', 'waiting', '--pipeline', 'scored'])).out).toMatch(/None of \d+ runs/);
    const wrong = await w.call(['runs', '--sort', 'scoer']);
    expect(wrong.err).toMatch(/Did you mean score\?/);
    expect(wrong.code).toBe(2);
  });
});

describe('a closed run is continued', () => {
  it('with an option changed, the finished stages from the cache', async () => {
    w.write(
      'retry.yaml',
      toyPipeline(
        '  first: { uses: toy/work }\n  bad: { uses: toy/work, with: { model: "${{ stages.first.model }}", fail: diverge } }\n',
      ).replace('name: toy', 'name: again'),
    );
    expect((await w.call(['run', 'retry.yaml'])).code).toBe(1);
    const [failed] = JSON.parse((await w.call(['runs', '--json', '--pipeline', 'again'])).out);
    const { code, out } = await w.call(['retry', failed.id, '--with', 'bad.fail=no']);
    expect(out).toMatch(/≡ first +cached/);
    expect(out).toMatch(/✓ bad +done/);
    expect(code).toBe(0);
    // What is wrong about the change is said before anything runs.
    for (const [change, message] of [
      ['bda.fail=no', /there is no stage bda in again\. There are first, bad\./],
      ['bad.fial=no', /toy\/work has no option fial\. Did you mean fail\? There are steps, delay/],
      ['bad.fail=maybe', /--with bad\.fail: .*"no"\|"error".*, found "maybe"/],
      ['bad.steps=0', /--with bad\.steps: .*>=1, found 0/],
      ['fail', /expected stage\.option=value/],
    ] as const) {
      const refused = await w.call(['retry', failed.id, '--with', change]);
      expect(refused.err).toMatch(message);
      expect(refused.code).toBe(2);
    }
    expect(JSON.parse((await w.call(['runs', '--json', '--pipeline', 'again'])).out)).toHaveLength(2);
  });
  it('with a stage left out', async () => {
    const [, failed] = JSON.parse((await w.call(['runs', '--json', '--pipeline', 'again'])).out);
    const { code, out } = await w.call(['retry', failed.id, '--skip', 'bad']);
    expect(out).toMatch(/– bad +skipped/);
    expect(code).toBe(0);
    expect((await w.call(['retry', failed.id, '--skip', 'badd'])).err).toMatch(/Did you mean bad\?/);
  });
});

describe('a stage that waits for a person', () => {
  const id = async (): Promise<string> =>
    JSON.parse((await w.call(['runs', '--json', '--pipeline', 'asks'])).out)[0].id;
  const asks = toyPipeline(
    '  first: { uses: toy/work, approve: {} }\n  next: { uses: toy/work, needs: [first] }\n',
  ).replace('name: toy', 'name: asks');

  it('says how to answer where nobody is at a terminal, and goes on when the answer is there', async () => {
    w.write('asks.yaml', asks);
    const waiting = await w.call(['run', 'asks.yaml']);
    expect(waiting.code).toBe(1);
    const run = await id();
    expect(waiting.out).toContain(`hourglass approve ${run} first`);
    expect((await w.call(['approve', run, 'next'])).err).toMatch(/RUN_STATE/);
    expect((await w.call(['approve', run, 'first', '--by', 'ada'])).out).toMatch(/approved by ada/);
    const { code, out } = await w.call(['run', 'asks.yaml']);
    expect(out).toContain(`run ${run}, continued`);
    expect(code).toBe(0);
    expect((await w.call(['approve', run, 'first'])).err).toMatch(/has succeeded; nothing can be changed/);
  });

  it('is not waited for by a run without a terminal that has a time limit, whose end decides when it is started again', async () => {
    const limited = asks.replace('approve: {}', 'approve: { timeout: 3s, onTimeout: approve }').replace('asks', 'soon');
    w.write('soon.yaml', limited.replace('{ uses: toy/work,', '{ uses: toy/work, with: { score: 0.1 },'));
    const waiting = await w.call(['run', 'soon.yaml', '--plain']);
    expect(waiting.out).toMatch(/first waits until .* UTC: hourglass approve [^]*soon waits for a person: first/);
    expect(waiting.code).toBe(1);
    await sleep(3000);
    expect(await w.call(['run', 'soon.yaml', '--plain'])).toMatchObject({
      code: 0,
      out: expect.stringMatching('continued'),
    });
  });

  it('ends with 3 when the answer is no', async () => {
    w.write(
      'asks.yaml',
      asks.replace('{ uses: toy/work, approve: {} }', '{ uses: toy/work, with: { steps: 1 }, approve: {} }'),
    );
    expect((await w.call(['run', 'asks.yaml'])).code).toBe(1);
    await w.call(['reject', await id(), 'first', '--reason', 'not today']);
    const { code, out } = await w.call(['run', 'asks.yaml']);
    expect(out).toMatch(/not today/);
    expect(code).toBe(3);
  });
});

describe('published names', () => {
  it('are listed, shown, promoted and traced', async () => {
    w.write(
      'names.yaml',
      toyPipeline('  train: { uses: toy/work, with: { score: 0.7 } }\n') +
        'publish: { toy_model: "${{ stages.train.model }}" }\n',
    );
    expect((await w.call(['run', 'names.yaml'])).out).toMatch(/published toy_model@1/);
    expect((await w.call(['names', 'ls'])).out).toMatch(/toy_model +@1 +model \(toy\)/);
    expect((await w.call(['names', 'promote', 'toy_model@1', 'champion'])).out).toMatch(
      /toy_model@champion is now toy_model@1/,
    );
    expect((await w.call(['names', 'show', 'toy_model@champion'])).out).toMatch(/toy_model@1/);
    expect((await w.call(['names', 'history', 'toy_model'])).out).toMatch(/champion → @1/);
    expect((await w.call(['names', 'show', 'toy_modle'])).err).toMatch(/toy_model/);
  });
});

describe('as a process', () => {
  const slow = toyPipeline('  train: { uses: toy/work, with: { steps: 200, delay: 50 } }\n').replace(
    'name: toy',
    'name: slow',
  );

  it('Ctrl-C stops in order with 130 and says how to continue; the same run then goes on from its checkpoint', async () => {
    w.write('slow.yaml', slow);
    const first = w.start(['run', 'slow.yaml', '--json']);
    await first.until('step 3/200');
    process.kill(-first.child.pid!, 'SIGINT');
    const stopped = await first.ended;
    expect(stopped.code).toBe(130);
    const events = stopped.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: 'result', status: 'interrupted', exitCode: 130 });
    expect((await w.call(['runs', '--pipeline', 'slow'])).out).toMatch(/interrupted/);

    const second = w.start(['run', 'slow.yaml'], { NO_COLOR: '1', FORCE_COLOR: '1' });
    await second.until('continues at step');
    process.kill(-second.child.pid!, 'SIGINT');
    const again = await second.ended;
    expect(again.out).toMatch(/, continued\n/);
    expect(again.out).toMatch(/! warning continues at step [1-9]/);
    expect(again.out).toContain('continue: hourglass run slow.yaml');
    expect(again.out).not.toContain('\u001b[');
  });

  it('Ctrl-C twice ends at once and leaves no stage process behind', async () => {
    w.write('slow.yaml', slow.replace('steps: 200', 'steps: 199'));
    const run = w.start(['run', 'slow.yaml', '--json']);
    await run.until('step 1/199');
    process.kill(run.child.pid!, 'SIGINT');
    process.kill(run.child.pid!, 'SIGINT');
    expect((await run.ended).code).toBe(130);
    await expect.poll(() => alive(-run.child.pid!), { timeout: 10_000 }).toBe(false);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
