import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace({
    'good.yaml': toyPipeline(
      '  train: { uses: toy/work, with: { steps: "${{ params.steps }}" } }\n',
      'params:\n  steps: { type: integer, default: 2, minimum: 1, maximum: 9 }\n',
    ),
  });
});
afterAll(() => w.remove());

describe('a wrong call ends with 2, says what is wrong and what was meant', () => {
  const calls: [string, string[], RegExp[]][] = [
    ['unknown command', ['validat', 'good.yaml'], [/unknown command 'validat'/, /Did you mean validate\?/]],
    ['unknown option', ['run', 'good.yaml', '--parm', 'x=1'], [/unknown option '--parm'/, /Did you mean --param\?/]],
    ['missing argument', ['run'], [/missing required argument 'file'/]],
    ['a file that is not there', ['run', 'goood.yaml'], [/No file goood\.yaml/, /Did you mean good\.yaml\?/]],
    ['a folder', ['validate', '.'], [/is a folder/, /good\.yaml/]],
    ['unknown param', ['plan', 'good.yaml', '-p', 'step=3'], [/no param `step`/, /Did you mean `steps`\?/]],
    ['param out of range', ['plan', 'good.yaml', '-p', 'steps=99'], [/steps/, /9/]],
    ['param of the wrong type', ['plan', 'good.yaml', '-p', 'steps=many'], [/steps/, /integer/, /many/]],
    ['param without a value', ['plan', 'good.yaml', '-p', 'steps'], [/expected name=value, found "steps"/]],
    ['unknown stage in --only', ['plan', 'good.yaml', '--only', 'trai'], [/trai/, /train/]],
    ['unknown stage in --force', ['plan', 'good.yaml', '--force', 'trian'], [/trian/, /train/]],
    ['--only with --from', ['plan', 'good.yaml', '--only', 'train', '--from', 'train'], [/contradict/]],
    ['unknown engine', ['plan', 'good.yaml', '--engine', 'wsam'], [/found "wsam"/, /Did you mean wasm\?/]],
    ['a time that is none', ['plan', 'good.yaml', '--at', 'yesterday'], [/--at: expected a time/, /yesterday/]],
    ['a seed that is none', ['run', 'good.yaml', '--seed', '1.5'], [/Expected an integer from 0, found "1\.5"/]],
    ['unknown run', ['runs', 'show', 'nope'], [/No run "nope"/, /hourglass runs/]],
    ['unknown name', ['names', 'show', 'nope'], [/nope/]],
    ['unknown kind', ['artifacts', 'ls', '--kind', 'modl'], [/found "modl"/, /Did you mean model\?/]],
    ['unknown plugin', ['plugins', 'show', 'toi'], [/No plugin or stage "toi"/, /Did you mean toy/]],
    ['a stage without its plugin', ['plugins', 'show', 'work'], [/Did you mean toy\/work\b/]],
    ['unknown engine to time', ['engine', 'bench', '--engines', 'wsam'], [/--engines: .*found "wsam"/, /mean wasm\?/]],
    ['unknown net to time', ['engine', 'bench', '--nets', 'uned'], [/--nets: .*found "uned"/, /Did you mean unet\?/]],
    ['an engine that cannot be installed', ['engine', 'install', 'wasm'], [/wasm is part of Hourglass/]],
  ];
  it.each(calls)('%s', async (_, argv, messages) => {
    const { code, out, err } = await w.call(argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    for (const message of messages) expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  });

  it.each([
    ['that is not there', undefined, {}, /TEMPORAL_CONFIG_FILE: there is no file .*temporal\.toml/],
    [
      'with a misspelt key',
      '[profile.default]\naddres = "far:7233"\n',
      {},
      /unrecognized in profile\.default: addres\b/,
    ],
    [
      'without the profile',
      '[profile.default]\n',
      { TEMPORAL_PROFILE: 'prod' },
      /Profile 'prod' not found.*TEMPORAL_PROFILE/,
    ],
  ])('a file of Temporal profiles %s', async (_, text, env, message) => {
    const file = `${w.dir}/temporal.toml`;
    if (text !== undefined) w.write('temporal.toml', text);
    const { code, out, err } = await w.call(['status'], { env: { TEMPORAL_CONFIG_FILE: file, ...env } });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it('as JSON with --json', async () => {
    const { code, out } = await w.call(['plan', 'gud.yaml', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ type: 'error', code: 'CALL_INVALID' });
    const unknown = await w.call(['runs', '--json', '--nonsense']);
    expect(JSON.parse(unknown.out)).toMatchObject({ type: 'error', code: 'CALL_INVALID' });
  });
});

describe('a wrong pipeline ends with 2 and every mistake has its line', () => {
  const stage = '  train: { uses: toy/work }\n';
  const pipelines: [string, string, RegExp[]][] = [
    ['unknown plugin', toyPipeline('  a: { uses: tooy/work }\n'), [/bad\.yaml:4:14/, /did you mean toy/]],
    ['unknown stage', toyPipeline('  a: { uses: toy/wrk }\n'), [/toy\/wrk/, /did you mean toy\/work\b/]],
    [
      'unknown option',
      toyPipeline('  a: { uses: toy/work, with: { stps: 3 } }\n'),
      [/bad\.yaml:4:/, /did you mean steps/],
    ],
    ['option of the wrong type', toyPipeline('  a: { uses: toy/work, with: { steps: many } }\n'), [/steps/, /many/]],
    [
      'unknown reference',
      toyPipeline(`${stage}  b: { uses: toy/work, with: { model: "\${{ stages.trian.model }}" } }\n`),
      [/trian/, /train/],
    ],
    [
      'unknown output',
      toyPipeline(`${stage}  b: { uses: toy/work, with: { model: "\${{ stages.train.modl }}" } }\n`),
      [/modl/, /model/],
    ],
    [
      'unknown param',
      toyPipeline(
        '  a: { uses: toy/work, with: { steps: "${{ params.stepz }}" } }\n',
        'params: { steps: { type: integer, default: 1 } }\n',
      ),
      [/stepz/, /steps/],
    ],
    ['unknown metric', toyPipeline('  a: { uses: toy/work, gate: "metrics.scroe > 0.1" }\n'), [/scroe/, /score/]],
    [
      'wrong kinds joined',
      toyPipeline(`${stage}  b: { uses: toy/write, with: { uri: x, model: "\${{ stages.train.metrics }}" } }\n`),
      [/model/, /metrics/],
    ],
    [
      'a cycle',
      toyPipeline('  a: { uses: toy/work, needs: [b] }\n  b: { uses: toy/work, needs: [a] }\n'),
      [/a.*b.*a|b.*a.*b/],
    ],
    ['a bad cron', toyPipeline(stage, 'schedule: { cron: "61 3 * * *" }\n'), [/cron/, /bad\.yaml:3:/]],
    ['YAML syntax', 'hourglass: v1\nname: "x\n', [/bad\.yaml:\d+:\d+/, /YAML/]],
    ['an empty file', '', [/empty/]],
    ['no pipeline at all', '- 1\n- 2\n', [/mapping/]],
    ['a file of its own missing', toyPipeline('  a: { uses: ./god.yaml }\n'), [/god\.yaml/]],
    ['a file outside the project', toyPipeline('  a: { uses: ../../../etc/passwd.yaml }\n'), [/outside/]],
  ];
  it.each(pipelines)('%s', async (_, text, messages) => {
    w.write('bad.yaml', text);
    const { code, out } = await w.call(['validate', 'bad.yaml']);
    expect(code).toBe(2);
    for (const message of messages) expect(out).toMatch(message);
    const run = await w.call(['run', 'bad.yaml']);
    expect(run.code).toBe(2);
    expect(run.err).toMatch(/PIPELINE_INVALID/);
    expect(run.err).toMatch(/nothing was run/);
  });

  it('all mistakes of all files in one pass', async () => {
    w.write('one.yaml', toyPipeline('  a: { uses: toy/wrk, with: { x: 1 }, need: [b] }\n'));
    const { code, out } = await w.call(['validate', 'one.yaml', 'gone.yaml', 'good.yaml']);
    expect(code).toBe(2);
    expect(out).toMatch(/✗ one\.yaml {2}[2-9] mistakes/);
    expect(out).toMatch(/No file gone\.yaml/);
    expect(out).toMatch(/✓ good\.yaml/);
    const json = JSON.parse((await w.call(['validate', 'one.yaml', 'good.yaml', '--json'])).out);
    expect(json.ok).toBe(false);
    expect(json.diagnostics[0]).toMatchObject({ file: 'one.yaml', line: 4, severity: 'error' });
  });
});

describe('what needs no run', () => {
  it('help names every command in groups, with examples and exit codes', async () => {
    const { code, out } = await w.call(['--help']);
    expect(code).toBe(0);
    for (const word of [
      'run',
      'plan',
      'validate',
      'init',
      'apply',
      'retry',
      'approve',
      'names',
      'doctor',
      'schema',
      'Examples:',
      '130 interrupted',
    ])
      expect(out).toContain(word);
    expect((await w.call(['run', '--help'])).out).toMatch(/--param <name=value>[^]*Ctrl-C once/);
  });
  it('the version is that of the package', async () => {
    expect((await w.call(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
  it('compile prints the Plan', async () => {
    const plan = JSON.parse((await w.call(['compile', 'good.yaml'])).out);
    expect(plan).toMatchObject({ name: 'toy', interpreter: 1 });
    expect(plan.stages[0]).toMatchObject({ id: 'train', uses: 'toy/work' });
  });
  it('schema knows the options of installed plugins', async () => {
    expect(JSON.stringify(JSON.parse((await w.call(['schema'])).out))).toContain('toy/work');
  });
  it('plugins show a stage with types, defaults and descriptions', async () => {
    expect((await w.call(['plugins'])).out).toMatch(/toy +hourglass-plugin-toy 1\.0\.0[^]*toy\/work\b/);
    const { out } = await w.call(['plugins', 'show', 'toy/work']);
    expect(out).toMatch(/steps +integer from 1 = 3[^]*How far to count/);
    expect(out).toMatch(/fail +no \| error \| diverge \| crash = "no"/);
    expect((await w.call(['plugins', 'show', 'toy/read'])).out).toMatch(/uri +string required \(read\)/);
  });
  it('lists are plain sentences where there is nothing yet', async () => {
    expect((await w.call(['runs'])).out).toMatch(/No runs/);
    expect((await w.call(['names', 'ls'])).out).toMatch(/No names/);
    expect((await w.call(['artifacts', 'ls'])).out).toMatch(/holds no artifact/);
    expect((await w.call(['artifacts', 'verify'])).code).toBe(0);
  });
  it('engine list shows every engine, present or not, with the reason and what to do', async () => {
    const { code, out } = await w.call(['engine', 'list']);
    expect(code).toBe(0);
    for (const name of ['tensorflow', 'onnxruntime', 'webgpu', 'wasm', 'cpu']) expect(out).toMatch(name);
    const statuses = JSON.parse((await w.call(['engine', 'list', '--json'])).out);
    for (const { available, reason, remedy } of statuses) expect(Boolean(reason && (available || remedy))).toBe(true);
  });
  it('engine bench times a training step', async () => {
    const argv = ['engine', 'bench', '--engines', 'onnxruntime', '--nets', 'mlp-small', '--json'];
    const [result] = JSON.parse((await w.call(argv)).out);
    expect(result).toMatchObject({ engine: 'onnxruntime', net: 'mlp-small' });
    expect(result.msPerStep).toBeGreaterThan(0);
  });
  it('doctor says what is here, and fails when what was asked for is not', async () => {
    const good = await w.call(['doctor']);
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/✓ node +v\d/);
    expect(good.out).toMatch(/✓ engine +auto means/);
    const bad = await w.call(['doctor', '--json'], {
      env: { HOURGLASS_ENGINE: 'cuda', HOURGLASS_HOME: '/dev/null/x' },
    });
    expect(bad.code).toBe(1);
    const { usable, checks } = JSON.parse(bad.out);
    expect(usable).toBe(false);
    const failed = checks.filter((check: any) => check.state === 'bad');
    expect(failed.map((check: any) => check.name)).toEqual(['HOURGLASS_ENGINE', 'store']);
    for (const check of failed) expect(check.remedy).toBeTruthy();
  });
});
