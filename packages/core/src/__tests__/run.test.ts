import { describe, expect, it } from 'vitest';
import { advance, refuseEvent } from '../advance.ts';
import { bind } from '../bind.ts';
import type { BindOptions } from '../bind.ts';
import { drive } from '../drive.ts';
import type { DriveEffects, Incoming } from '../drive.ts';
import type { RunEvent } from '../event.ts';
import type { Plan } from '../plan.ts';
import type { RunState } from '../state.ts';
import type { StageTask } from '../task.ts';
import { fail, good, host, plan, refOf } from './support/host.ts';

const options: BindOptions = { runId: 'r', scheduledAt: '2026-11-24T03:00:00Z' };
const header =
  'hourglass: v1\nname: test\nparams: { n: 5 }\nstages:\n  ingest: { uses: data/ingest, with: { uri: x } }\n';
const stage = (id: string, more: string): string =>
  `  ${id}: { uses: imputation/train, with: { data: "\${{ stages.ingest.data }}" }${more} }\n`;

async function run(p: Plan, h = host(), more: Partial<BindOptions> = {}): Promise<RunState> {
  return (await drive(p, bind(p, { ...options, ...more }), h)).state;
}

const statuses = (state: RunState): Record<string, string> =>
  Object.fromEntries(Object.entries(state.stages).map(([id, s]) => [id, s.status]));

describe('when and skipping', () => {
  const text = `${header}${stage('train', ', when: "params.n > 9"')}  apply: { uses: imputation/impute, with: { data: "\${{ stages.ingest.data }}", model: "\${{ stages.train.model }}" } }
  last: { uses: data/export, needs: [apply], with: { data: "\${{ stages.ingest.data }}", uri: out } }
`;

  it('skips a stage whose condition is false, and all that needs it', async () => {
    const state = await run(plan(text));
    expect(state.status).toBe('succeeded');
    expect(statuses(state)).toEqual({ ingest: 'done', train: 'skipped', apply: 'skipped', last: 'skipped' });
    expect(state.stages.train!.note).toBe('when params.n > 9 is false');
    expect(state.stages.apply!.note).toBe('`train` was skipped');
  });

  it('runs it when the condition holds', async () => {
    const state = await run(plan(text), host(), { params: { n: 10 } });
    expect(Object.values(statuses(state))).toEqual(['done', 'done', 'done', 'done']);
  });

  it('lets a stage run all the same with onSkipped: run and the first that exists', async () => {
    const named = text.replace(
      'model: "${{ stages.train.model }}" }',
      `model: "\${{ first(stages.train.model, named('imputer@latest')) }}" }, onSkipped: run`,
    );
    const p = plan(named);
    expect(p.names).toEqual([{ name: 'imputer@latest', optional: true }]);
    const champion = { ...refOf('model', 'champion'), application: 'imputation' };
    const inputs: StageTask['inputs'][] = [];
    const h = host({
      run: (task) => {
        if (task.path === 'apply') inputs.push(task.inputs);
        return good(task);
      },
    });
    await run(p, h, { names: { 'imputer@latest': { version: 3, ref: champion } } });
    expect(inputs[0]!.model).toEqual(champion);
    const without = await run(p);
    expect(without.error).toMatchObject({ code: 'INPUT_INVALID', path: 'apply' });
    expect(without.error!.message).toContain('the input `model`');
  });

  it('fails by name when a condition cannot be evaluated', async () => {
    const p = plan(
      `${header}  profile: { uses: data/profile, with: { data: "\${{ stages.ingest.data }}" } }\n${stage('train', ', when: stages.profile.metrics.drift > 0.2')}`,
    );
    expect(statuses(await run(p)).train).toBe('skipped');
    const h = host({ run: (task) => good(task, task.path === 'profile' ? {} : undefined) });
    expect((await run(p, h)).error!.message).toContain('`when` (stages.profile.metrics.drift > 0.2) has no value');
  });

  it('does not publish what was skipped, and nothing of a run in part', async () => {
    const p = plan(`${text}publish: { model: "\${{ stages.train.model }}", data: "\${{ stages.ingest.data }}" }\n`);
    const h = host();
    await run(p, h);
    expect(Object.keys(h.published)).toEqual(['data']);
    const part = host();
    await run(p, part, { only: ['ingest'] });
    expect(part.published).toEqual({});
  });
});

describe('failures', () => {
  it('stop what depends on them and nothing else', async () => {
    const p = plan(
      `${header}${stage('a', '')}${stage('b', '')}${stage('c', ', needs: [a]')}${stage('d', ', needs: [b]')}`,
    );
    const state = await run(p, host({ run: (task) => (task.path === 'a' ? fail('DATA_INSUFFICIENT') : good(task)) }));
    expect(statuses(state)).toEqual({ ingest: 'done', a: 'failed', b: 'done', c: 'blocked', d: 'done' });
    expect(state.stages.c!.note).toBe('`a` failed');
  });

  it('inside a group fail the group, saying where', async () => {
    const p = plan(`${header}  g:
    stages:
${stage('a', '').replace(/^/gm, '    ').trimEnd()}
${stage('b', ', needs: [a]').replace(/^/gm, '    ').trimEnd()}
    outputs: { model: "\${{ stages.b.model }}" }
`);
    const state = await run(
      p,
      host({ run: (task) => (task.path === 'g.a' ? fail('DATA_INSUFFICIENT', 'too few') : good(task)) }),
    );
    expect(state.error).toMatchObject({
      code: 'DATA_INSUFFICIENT',
      path: 'g',
      message: 'too few',
      details: { stage: 'g.a' },
    });
  });

  it('repeat a group as a whole when it says so', async () => {
    const p = plan(`${header}  g:
    retry: 2
    stages:
${stage('a', ', retry: 1').replace(/^/gm, '    ').trimEnd()}
    outputs: { model: "\${{ stages.a.model }}" }
`);
    let tries = 0;
    const state = await run(
      p,
      host({ run: (task) => (task.path === 'g.a' && ++tries === 1 ? fail('STAGE_CRASHED') : good(task)) }),
    );
    expect(state.status).toBe('succeeded');
    expect(tries).toBe(2);
  });

  it('of publishing fail the run', async () => {
    const p = plan(`${header}publish: { data: "\${{ stages.ingest.data }}" }\n`);
    const h = host();
    h.publish = () => Promise.reject(new Error('taken'));
    const state = await run(p, h);
    expect(state).toMatchObject({ status: 'failed', error: { path: 'publish.data', message: 'taken' } });
  });
});

describe('people', () => {
  const answers = (...given: (Incoming | undefined)[]): { h: ReturnType<typeof host>; asked: string[] } => {
    const asked: string[] = [];
    const h = host();
    h.ask = async (command) => {
      asked.push(command.message);
      return given.shift() as Awaited<ReturnType<NonNullable<DriveEffects['ask']>>>;
    };
    h.sleep = () => new Promise(() => {});
    return { h, asked };
  };
  const approving = plan(
    `${header}${stage('train', ', approve: { timeout: 2h, message: "Good enough?" }')}${stage('next', ', needs: [train]')}`,
  );

  it('approve a stage, once its results are there', async () => {
    const { h, asked } = answers({ type: 'approve', path: 'train', by: 'ada' });
    const state = await run(approving, h);
    expect(asked).toEqual(['Good enough?']);
    expect(state.status).toBe('succeeded');
    expect(state.stages.train!.decision).toEqual({ approved: true, by: 'ada' });
  });

  it('reject one, which fails the run and keeps its outputs', async () => {
    const { h } = answers({ type: 'reject', path: 'train', by: 'ada', reason: 'too coarse' });
    const state = await run(approving, h);
    expect(state.error).toMatchObject({
      code: 'APPROVAL_REJECTED',
      message: '`train` was rejected by ada: too coarse.',
    });
    expect(state.stages.train!.outputs!.model).toBeDefined();
    expect(statuses(state).next).toBe('blocked');
  });

  it('are waited for only so long', async () => {
    const late = await run(approving, host());
    expect(late.error!.code).toBe('APPROVAL_REJECTED');
    const lenient = plan(`${header}${stage('train', ', approve: { timeout: 2h, onTimeout: approve }')}`);
    expect((await run(lenient, host())).status).toBe('succeeded');
  });

  it('cannot be reached: the run stalls in a state that can be driven on', async () => {
    const p = plan(`${header}${stage('train', ', approve: true')}`);
    const first = await drive(p, bind(p, options), host());
    expect(first.ended).toBe('stalled');
    const event: RunEvent = { type: 'approve', path: 'train', by: 'ada', at: 5 };
    expect(refuseEvent(p, first.state, event)).toBeUndefined();
    expect(advance(p, first.state, event).state.status).toBe('succeeded');
  });

  it('cannot be reached by a host that asks: the time they have is not waited for, and counts when the run is driven on', async () => {
    const p = plan(`${header}${stage('train', ', approve: { timeout: 2h, onTimeout: approve }')}`);
    const forEver = (_: number, signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const alone = { ...host(), ask: async () => undefined };
    const first = await drive(p, bind(p, options), { ...alone, sleep: forEver });
    expect(first.ended).toBe('stalled');
    expect((await drive(p, first.state, { ...alone, sleep: forEver })).ended).toBe('stalled');
    const later = { ...alone, now: () => first.state.stages.train!.until! };
    expect((await drive(p, first.state, later)).state.status).toBe('succeeded');
  });

  const held = plan(`${header}${stage('train', ', onFailure: { wait: 1h }')}${stage('next', ', needs: [train]')}`);
  const breaking = () => {
    let broken = true;
    return {
      mend: () => (broken = false),
      run: (task: StageTask) =>
        task.path === 'train' && broken && task.options.epochs === undefined ? fail('DATA_INSUFFICIENT') : good(task),
    };
  };

  it('retry a failed stage with changed options while the run is held open', async () => {
    const { h } = answers({ type: 'retry-stage', path: 'train', options: { epochs: 5 }, by: 'ada' });
    const { run: broken } = breaking();
    const base = host({ run: broken });
    const state = await run(held, { ...base, ask: h.ask!, sleep: h.sleep });
    expect(state.status).toBe('succeeded');
    expect(state.stages.train!.overrides).toEqual({ epochs: 5 });
  });

  it('retry a group with options of the stages within', async () => {
    const p = plan(`${header}  g:
    onFailure: { wait: 1h }
    stages:
${stage('train', '').replace(/^/gm, '    ').trimEnd()}
    outputs: { model: "\${{ stages.train.model }}" }
`);
    const { h } = answers({ type: 'retry-stage', path: 'g', options: { 'train.epochs': 5 }, by: 'ada' });
    const base = host({
      run: (task) => (task.path === 'g.train' && task.options.epochs !== 5 ? fail('DATA_INSUFFICIENT') : good(task)),
    });
    const state = await run(p, { ...base, ask: h.ask!, sleep: h.sleep });
    expect(state.status).toBe('succeeded');
    expect(state.overrides).toEqual({ 'g.train': { epochs: 5 } });
  });

  it('retry a file with its params changed', async () => {
    const p = plan(`${header}  g: { uses: ./g.yaml, onFailure: { wait: 1h } }\n`, {
      readFile: () => ({
        file: 'g.yaml',
        text: `hourglass: v1\nname: g\nparams: { epochs: 1 }\nstages:\n  train: { uses: imputation/train, with: { data: '\${{ named("d@latest") }}', epochs: '\${{ params.epochs }}' } }\n`,
      }),
    });
    const { h } = answers({ type: 'retry-stage', path: 'g', options: { epochs: 5 }, by: 'ada' });
    const base = host({
      run: (task) => (task.path === 'g.train' && task.options.epochs !== 5 ? fail('DATA_INSUFFICIENT') : good(task)),
    });
    const names = { 'd@latest': { version: 1, ref: refOf('dataset', 'd') } };
    const state = await run(p, { ...base, ask: h.ask!, sleep: h.sleep }, { names });
    expect(state.status).toBe('succeeded');
  });

  it('skip it, give it up, or come too late', async () => {
    const base = (): ReturnType<typeof host> => host({ run: breaking().run });
    const skipping = answers({ type: 'skip-stage', path: 'train', by: 'ada' }).h;
    expect(statuses(await run(held, { ...base(), ask: skipping.ask!, sleep: skipping.sleep }))).toMatchObject({
      train: 'skipped',
      next: 'skipped',
    });
    const giving = answers({ type: 'cancel-stage', path: 'train', by: 'ada' }).h;
    expect((await run(held, { ...base(), ask: giving.ask!, sleep: giving.sleep })).status).toBe('cancelled');
    const no = answers({ type: 'reject', path: 'train', by: 'ada', reason: 'the data are wrong' }).h;
    const given = await run(held, { ...base(), ask: no.ask!, sleep: no.sleep });
    expect(given).toMatchObject({
      status: 'failed',
      error: { code: 'DATA_INSUFFICIENT', message: 'it broke\nGiven up by ada: the data are wrong', path: 'train' },
      stages: { train: { status: 'failed', decision: { approved: false, by: 'ada' } }, next: { status: 'blocked' } },
    });
    const late = await run(held, base());
    expect(late).toMatchObject({ status: 'failed', error: { code: 'DATA_INSUFFICIENT' } });
  });

  it('are not waited for where there are none', async () => {
    const h = host({ run: breaking().run });
    h.sleep = () => Promise.reject(new Error('nobody should wait'));
    expect((await run(held, h, { unattended: true })).error!.code).toBe('DATA_INSUFFICIENT');
  });

  it('are told why an event does not fit', async () => {
    const done = await run(held);
    expect(refuseEvent(held, done, { type: 'approve', path: 'train', by: 'x', at: 1 })!.message).toContain(
      'it has succeeded',
    );
    const p = approving;
    const fresh = advance(p, bind(p, options), { type: 'start', at: 1 }).state;
    expect(refuseEvent(p, fresh, { type: 'approve', path: 'train', by: 'x', at: 1 })!.message).toContain(
      'does not wait for approval: it is waiting',
    );
    expect(refuseEvent(p, fresh, { type: 'retry-stage', path: 'ingest', at: 1 })!.message).toContain('not held open');
    expect(refuseEvent(p, fresh, { type: 'skip-stage', path: 'trian', at: 1 })!.message).toContain('no stage `trian`');
    expect(refuseEvent(p, fresh, { type: 'pause', at: 1 })).toBeUndefined();
  });
});

describe('pause and cancel', () => {
  const p = plan(`${header}${stage('a', '')}${stage('b', ', needs: [a]')}`);

  it('pause starts nothing new; resume goes on', () => {
    let { state, commands } = advance(p, bind(p, options), { type: 'start', at: 1 });
    state = advance(p, state, { type: 'pause', at: 2 }).state;
    ({ state, commands } = advance(p, state, {
      type: 'looked-up',
      answers: [{ path: 'ingest', answer: { status: 'miss', key: 'k', reason: 'first run' } }],
      at: 3,
    }));
    expect(commands).toEqual([]);
    ({ commands } = advance(p, state, { type: 'resume', at: 4 }));
    expect(commands.map((c) => c.type)).toEqual(['run']);
  });

  it('cancel stops what runs and ends the rest at once', async () => {
    const h = host({
      run: async (task, signal) => {
        if (task.path !== 'a') return good(task);
        setTimeout(() => send({ type: 'cancel' }), 1);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return fail('CANCELLED');
      },
    });
    let send: (event: Incoming) => void = () => {};
    h.subscribe = (sender) => {
      send = sender;
      return () => {};
    };
    const state = await run(p, h);
    expect(state).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
    expect(statuses(state)).toEqual({ ingest: 'done', a: 'cancelled', b: 'cancelled' });
  });
});

describe('bind', () => {
  const p = plan(`hourglass: v1
name: test
params:
  rate: { type: number, minimum: 0, maximum: 1 }
  kind: { type: string, default: a, enum: [a, b] }
stages:
  ingest: { uses: data/ingest, with: { uri: "data-\${{ run.partition }}.parquet" } }
  holdout: { uses: imputation/mask, with: { data: "\${{ stages.ingest.data }}", rate: "\${{ params.rate }}" } }
  train: { uses: imputation/train, with: { data: "\${{ stages.holdout.masked }}" } }
  profile: { uses: data/profile, with: { data: "\${{ stages.ingest.data }}" } }
`);

  it('reports all mistakes of the params at once', () => {
    expect(() => bind(p, { ...options, params: { rate: 2, kin: 'a', kind: 'c' } })).toThrow(
      /`rate`: expected at most 1, found 2[\s\S]*no param `kin` \(did you mean `kind`\?\)[\s\S]*`kind`: expected one of "a", "b", found "c"/,
    );
    expect(() => bind(p, options)).toThrow(/`rate` has no default and was not given \(number\)/);
  });

  it('takes the partition from the scheduled time, never from now', async () => {
    const uris: unknown[] = [];
    const h = host({
      run: (task) => {
        if (task.path === 'ingest') uris.push(task.options.uri);
        return good(task);
      },
    });
    await run(p, h, { params: { rate: 0.5 } });
    await run(p, h, { params: { rate: 0.5 }, partition: 'north' });
    expect(uris).toEqual(['data-2026-11-24.parquet', 'data-north.parquet']);
  });

  it('takes the day where the schedule is at home', () => {
    const nightly = plan(`hourglass: v1
name: test
schedule: { cron: '30 0 * * *', timezone: Europe/Berlin }
stages:
  ingest: { uses: data/ingest, with: { uri: data.parquet } }
`);
    const day = (scheduledAt: string): string => bind(nightly, { runId: 'r', scheduledAt }).run.partition;
    // Winter and summer time.
    expect([day('2026-11-23T23:30:00Z'), day('2026-07-01T22:30:00Z')]).toEqual(['2026-11-24', '2026-07-02']);
  });

  it('limits a run to some stages and what they need', async () => {
    const h = host();
    const state = await run(p, h, { params: { rate: 0.5 }, only: ['holdout'] });
    expect(h.ran).toEqual(['ingest', 'holdout']);
    expect(statuses(state)).toMatchObject({ train: 'skipped', profile: 'skipped' });
    expect(state.status).toBe('succeeded');
  });

  it('computes anew from a stage on, all that follows included', async () => {
    const first = host();
    await run(p, first, { params: { rate: 0.5 } });
    const again = host({ cache: first.cache });
    await run(p, again, { params: { rate: 0.5 }, from: ['holdout'] });
    expect(again.ran).toEqual(['holdout', 'train']);
    const all = host({ cache: first.cache });
    await run(p, all, { params: { rate: 0.5 }, force: true });
    expect(all.ran.sort()).toEqual(['holdout', 'ingest', 'profile', 'train']);
    const one = host({ cache: first.cache });
    await run(p, one, { params: { rate: 0.5 }, force: ['profile'] });
    expect(one.ran).toEqual(['profile']);
  });

  it('refuses stages that do not exist, with near names', () => {
    for (const more of [{ only: ['trian'] }, { from: ['trian'] }, { force: ['trian'] }, { overrides: { trian: {} } }])
      expect(() => bind(p, { ...options, params: { rate: 0.5 }, ...more })).toThrow(
        /no stage `trian`.*Did you mean train\?/,
      );
  });

  it('selects inside groups', async () => {
    const g = plan(`${header}  g:
    stages:
${stage('a', '').replace(/^/gm, '    ').trimEnd()}
${stage('b', ', needs: [a]').replace(/^/gm, '    ').trimEnd()}
    outputs: { model: "\${{ stages.b.model }}" }
  after: { uses: imputation/impute, with: { data: "\${{ stages.ingest.data }}", model: "\${{ stages.g.model }}" } }
`);
    const h = host();
    const state = await run(g, h, { only: ['g.a'] });
    expect(h.ran).toEqual(['ingest', 'g.a']);
    expect(state.status).toBe('succeeded');
    const again = host({ cache: h.cache });
    await run(g, again);
    expect(again.ran).toEqual(['g.b', 'after']);
    const from = host({ cache: again.cache });
    await run(g, from, { from: ['g.b'] });
    expect(from.ran).toEqual(['g.b', 'after']);
  });

  it('changes options of this run alone', async () => {
    const seen: unknown[] = [];
    const h = host({
      run: (task) => {
        if (task.path === 'train') seen.push(task.options.epochs);
        return good(task);
      },
    });
    await run(p, h, { params: { rate: 0.5 }, overrides: { train: { epochs: 50 } } });
    expect(seen).toEqual([50]);
  });

  it('needs every name that is read', () => {
    const named = plan(
      `${header}  apply: { uses: imputation/impute, with: { data: "\${{ stages.ingest.data }}", model: "\${{ named('imputer@champion') }}" } }\n`,
    );
    expect(() => bind(named, options)).toThrow(/reads `imputer@champion`, which is not published/);
  });
});
