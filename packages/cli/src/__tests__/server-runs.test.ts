import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { collectGarbage, openStore } from '@hourglass/artifacts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Called, type Started, type Workspace } from './support/workspace.ts';

const own = randomBytes(4).toString('hex');
let at: Workspace;
let worker: Started;
let env: Record<string, string>;

const call = (...argv: string[]): Promise<Called> => at.call(argv, { env });
const submit = async (id: string, stages: string, ...more: string[]): Promise<string> => {
  const { code, err } = await call(
    'submit',
    at.write(`${id}.yaml`, toyPipeline(stages)),
    '--id',
    `${id}-${own}`,
    ...more,
  );
  if (code !== 0) throw new Error(err);
  return `${id}-${own}`;
};

interface Stage {
  status: string;
  decision?: object;
  cache?: string;
}
interface Status {
  execution: string;
  view: { state: { status: string; stages: Record<string, Stage>; overrides: object; run: { partition: string } } };
}
const status = async (id: string): Promise<Status> => JSON.parse((await call('status', id, '--json')).out) as Status;
const until = async (id: string, test: (run: Status) => boolean): Promise<Status> => {
  for (;;) {
    const run = await status(id);
    if (test(run)) return run;
    if (run.execution !== 'RUNNING') throw new Error(`${id} ended: ${JSON.stringify(run.view.state)}`);
    await sleep(150);
  }
};
const is = (stage: string, wanted: string) => (run: Status) => run.view.state?.stages[stage]?.status === wanted;

beforeAll(async () => {
  at = makeWorkspace();
  env = {
    HOME: process.env['HOME']!,
    TEMPORAL_ADDRESS: inject('temporal'),
    HOURGLASS_TASK_QUEUE: `test-${own}`,
    HOURGLASS_HOME: `${at.dir}/store`,
  };
  worker = at.start(['worker'], env);
  await worker.until('worker polls');
});

afterAll(async () => {
  worker.child.kill('SIGTERM');
  await worker.ended;
  at.remove();
});

describe('a run on the server', () => {
  it('leaves its report in the store, says where, and is drawn again by its id', async () => {
    const id = await submit('page', '  a: { uses: toy/work, title: "Zähl <b>weiter</b>" }\n', '--wait', '--plain');
    const { view } = JSON.parse((await call('status', id, '--json')).out) as {
      view: { notes: { report?: { digest: string; store: string }; warnings: object[] } };
    };
    expect(view.notes.warnings).toEqual([]);
    const { digest, store } = view.notes.report!;
    expect(store).toBe(`${at.dir}/store`);
    const shown = JSON.parse((await call('artifacts', 'show', digest, '--json')).out) as {
      manifest: { kind: string; parts: { key: string; digest: string; bytes: number }[]; meta: object };
    };
    expect(shown.manifest).toMatchObject({ kind: 'report', parts: [{ key: 'report.html' }], meta: { run: id } });
    // Nothing but the run refers to it, and yet it is kept as results are.
    const garbage = await collectGarbage(await openStore(store), { graceMs: 0, dryRun: true });
    expect(garbage.deleted.map(({ key }) => key).join()).not.toContain(digest);
    const page = join(at.dir, 'page.html');
    expect(await call('report', id, '-o', page)).toMatchObject({ code: 0 });
    expect(readFileSync(page, 'utf8')).toContain('Zähl &#60;b&#62;weiter');
    expect((await call('report', 'never-submitted')).err).toMatch(
      /No run "never-submitted"[^]*Nor is there one on the Temporal server/,
    );
  });

  it('is approved and rejected by name, with who and why', async () => {
    const id = await submit(
      'ask',
      `  a: { uses: toy/work, approve: {} }\n  b: { uses: toy/work, needs: [a], approve: {} }\n`,
    );
    await until(id, is('a', 'approval'));
    expect((await call('status', id)).out).toMatch(/\? toy waits for a person: a\b[^]*hourglass approve ask-\S+ a /);
    const yes = await call('approve', id, 'a', '--by', 'ada', '--reason', 'looks right');
    expect(yes.out).toMatch(/a of ask-.*: approved \(ada\)/);
    const run = await until(id, is('b', 'approval'));
    expect(run.view.state.stages['a']!.decision).toEqual({ approved: true, by: 'ada', reason: 'looks right' });
    expect((await call('approve', id, 'a')).err).toMatch(
      /does not wait for approval: it is done[^]*→ See `hourglass status ask-\S+`\./,
    );
    const twice = await call('submit', join(at.dir, 'ask.yaml'), '--id', id);
    expect(twice.err).toMatch(/is under way already[^]*→ Watch it: `hourglass watch ask-\S+`\./);
    expect((await call('reject', id, 'b')).code).toBe(0);
    await until(id, ({ execution }) => execution === 'FAILED');
    expect((await call('reject', id, 'b')).err).toMatch(/has ended[^]*→ See `hourglass status ask-\S+`\./);
    const nowhere = await call('approve', 'nobody', 'a');
    expect(nowhere.err).toMatch(
      /No run "nobody" in .*store.* Nor is there one on the Temporal server at[^]*→ Use an id `hourglass runs` or, of the server, `hourglass status` shows\./,
    );
    expect((await call('status', 'nobody')).err).toMatch(
      /No run "nobody" on the server\.\n {2}→ Use an id `hourglass status` shows\./,
    );
    expect((await call('schedule', 'describe', 'nobody')).err).toMatch(/→ Use a name `hourglass schedule list` shows/);
  });

  it('that is held open after a failure is tried again in place, skipped, or given up', async () => {
    const failing = (name: string): string =>
      `  ${name}: { uses: toy/work, with: { fail: error }, retry: { maxAttempts: 1 }, onFailure: { wait: 1h } }\n`;
    const id = await submit('held', failing('one') + failing('two') + failing('three'));
    await until(id, (run) => ['one', 'two', 'three'].every((stage) => is(stage, 'held')(run)));
    const other = await call('retry', id, '--with', 'four.fail=no');
    expect(other.err).toMatch(/there is no stage four in toy\. There are one, two, three/);
    for (const [change, message] of [
      ['one.foo=1', /--with one\.foo: toy\/work has no option foo\. There are steps, delay/],
      ['one.fail=maybe', /--with one\.fail: .*found "maybe"/],
      ['one.fail.kind=no', /changed as a whole; give one\.fail with all its keys as JSON: one\.fail='\{"kind":"no"\}'/],
    ] as const) {
      const refused = await call('retry', id, '--with', change);
      expect(refused.err).toMatch(message);
      expect(refused.code).toBe(2);
    }
    expect((await call('retry', id, '--with', 'one.fail=no')).out).toMatch(/one of held-.* is tried again/);
    expect((await call('skip', id, 'two')).code).toBe(0);
    const given = await call('reject', id, 'three', '--by', 'ada', '--reason', 'no more');
    expect(given.out).toMatch(/three of held-.*: rejected \(ada\); the run is (running|failed)\n/);
    const run = await until(id, ({ execution }) => execution !== 'RUNNING');
    expect((await call('status', id)).out).toMatch(
      /three failed: STAGE_FAILED\n.*something foreign broke\n +Given up by ada: no more\n[^]*toy failed/,
    );
    expect(run.view.state.stages).toMatchObject({ one: { status: 'done' }, two: { status: 'skipped' } });
  });

  it('is given up where a stage is held open inside a group, or for an item', async () => {
    const inside = `{ inner: { uses: toy/work, with: { fail: error }, retry: { maxAttempts: 1 }, onFailure: { wait: 1h } } }`;
    const id = await submit(
      'inside',
      `  group:\n    stages: ${inside}\n  many:\n    forEach: { in: [north] }\n    stages: ${inside}\n`,
    );
    await until(id, ({ view }) => JSON.stringify(view.state ?? {}).match(/"status":"held"/g)?.length === 2);
    for (const path of ['group.inner', 'many[north].inner']) {
      const said = await call('reject', id, path);
      expect(said.out, said.err).toMatch(/inner of inside-.*: rejected/);
    }
    const run = await until(id, ({ execution }) => execution !== 'RUNNING');
    expect(run.execution).toBe('FAILED');
  });

  it('is called by the day of its schedule where that is at home, as its partition is', async () => {
    const name = `zone_${own}`;
    const text = toyPipeline(
      '  a: { uses: toy/work }\n',
      `schedule: { cron: '30 0 * * *', timezone: Europe/Berlin }\n`,
    );
    const file = at.write('zone.yaml', text.replace('name: toy', `name: ${name}`));
    const { out, err } = await call('submit', file, '--at', '2026-11-24T23:30:00Z', '--wait', '--plain');
    expect(out, err).toContain(`${name}-2026-11-25`);
    expect((await status(`${name}-2026-11-25`)).view.state.run.partition).toBe('2026-11-25');
  });

  it('is looked for on the server only where its address and namespace can be', async () => {
    const asked = (more: Record<string, string>) => at.call(['approve', 'nobody', 'a'], { env: { ...env, ...more } });
    for (const address of ['localhost:port', 'http://localhost:7233', 'localhost:99999'])
      expect((await asked({ TEMPORAL_ADDRESS: address })).err).toMatch(
        `Address of the Temporal server (--address, TEMPORAL_ADDRESS, temporal.toml): expected HOST:PORT, found "${address}"`,
      );
    // Nothing listens there, and that is all a person with runs of this machine needs to hear.
    expect((await asked({ TEMPORAL_ADDRESS: '127.0.0.1:1' })).err).toMatch(/No run "nobody" in (?!.*Nor is)/s);
  });

  it('that has failed is submitted again with other options, for the same partition, its finished stages cached', async () => {
    const stages = `  good: { uses: toy/work, with: { steps: 2 } }
  bad: { uses: toy/work, needs: [good], with: { fail: error }, retry: { maxAttempts: 1 } }
`;
    const id = await submit('again', stages, '--partition', 'north');
    await until(id, ({ execution }) => execution === 'FAILED');
    const retried = await call('retry', id, '--with', 'bad.fail=no', '--wait', '--plain');
    expect(retried.code, retried.err).toBe(0);
    const { view } = await status(id);
    expect(view.state.stages).toMatchObject({ good: { status: 'done', cache: 'hit' }, bad: { status: 'done' } });
    expect(view.state).toMatchObject({ overrides: { bad: { fail: 'no' } }, run: { partition: 'north' } });
  });

  it('is paused, goes on, and is cancelled; its history is written whole', async () => {
    const id = await submit(
      'stop',
      `  a: { uses: toy/work, with: { steps: 20, delay: 50 } }\n  b: { uses: toy/work, needs: [a], with: { steps: 9999, delay: 20 } }\n`,
    );
    expect((await call('pause', id)).out).toMatch(/paused: no further stage/);
    await until(id, is('a', 'done'));
    expect((await call('status', id)).out).toMatch(
      /■ toy is paused: no further stage is started\n   → hourglass resume stop-/,
    );
    expect((await call('resume', id)).out).toMatch(/goes on/);
    await until(id, is('b', 'active'));
    expect((await call('cancel', id)).code).toBe(0);
    await until(id, ({ execution }) => execution === 'CANCELLED');
    const written = await call('record-history', id, '-o', 'stop.json.gz', '--json');
    const { events, bytes } = JSON.parse(written.out) as { events: number; bytes: number };
    const file = readFileSync(join(at.dir, 'stop.json.gz'));
    expect(file).toHaveLength(bytes);
    const history = JSON.parse(gunzipSync(file).toString()) as { events: { eventType: string }[] };
    expect(history.events).toHaveLength(events);
    expect(history.events.at(-1)!.eventType).toMatch(/WORKFLOW_EXECUTION_CANCELED/);
  });

  it('is refused by submit for its params before the server hears of it, as a run here is', async () => {
    const params = 'params: { rate: { type: number, maximum: 1 }, name: a }\n';
    const file = at.write('params.yaml', toyPipeline('  a: { uses: toy/work }\n', params));
    for (const given of [[], ['-p', 'rate=2'], ['-p', 'rate=1', '-p', 'nmae=b'], ['-p', 'rate=1', '--only', 'b']]) {
      const id = `params-${own}`;
      const [submitted, run] = [await call('submit', file, '--id', id, ...given), await call('run', file, ...given)];
      expect(submitted).toEqual(run);
      expect(submitted.code).toBe(2);
      expect((await call('status', id)).err).toMatch(/RUN_NOT_FOUND/);
    }
  });

  it('is refused by submit at once where the worker has another store', async () => {
    const file = at.write('other.yaml', toyPipeline('  a: { uses: toy/work }\n'));
    // Also of a pipeline that the worker's own store has seen.
    expect(await call('submit', file, '--id', `other-${own}`, '--wait', '--plain')).toMatchObject({ code: 0 });
    const elsewhere = ['--store', join(at.dir, 'elsewhere')];
    for (const argv of [
      ['submit', file, '--id', `other-${own}`],
      ['retry', `other-${own}`, '--wait'],
    ]) {
      const called = await call(...argv, ...elsewhere);
      expect(called.code).not.toBe(0);
      expect(called.err).toMatch(/elsewhere, but this worker keeps artifacts in .*store/);
      // Its own run of that id, which a retry is of.
      await call('submit', file, '--id', `other-${own}`, '--wait', '--plain');
    }
  });
});

describe('a namespace that is not there', () => {
  it.each([['worker'], ['status'], ['submit', 'ns.yaml'], ['approve', 'nobody', 'a']])('%s', async (...argv) => {
    at.write('ns.yaml', toyPipeline('  a: { uses: toy/work }\n'));
    const { code, out, err } = await call(...argv, '--namespace', 'nix');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(
      `CALL_INVALID No namespace "nix" at ${env['TEMPORAL_ADDRESS']}. Check --namespace, TEMPORAL_NAMESPACE`,
    );
  });
});

describe('migrate search-attributes', () => {
  it('finds all of them there the second time', async () => {
    await call('migrate', 'search-attributes');
    expect((await call('migrate', 'search-attributes')).out).toMatch(/all 7 search attributes are there/);
  });
});
