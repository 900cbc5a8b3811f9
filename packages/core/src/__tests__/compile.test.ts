import { describe, expect, it } from 'vitest';
import { compile } from '../compile.ts';
import { formatDiagnostics } from '../diagnostic.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { registry } from './support/plugins.ts';

/** A sound pipeline; tests replace pieces of it. */
const SOUND = `hourglass: v1
name: wdbc
params:
  rate: { type: number, default: 0.2, minimum: 0.01, maximum: 0.9 }
  epochs: { type: integer, default: 10 }
stages:
  ingest:
    uses: data/ingest
    with: { uri: ../data/wdbc.parquet, contract: { minRows: 500 } }
  holdout:
    uses: imputation/mask
    with: { data: "\${{ stages.ingest.data }}", rate: "\${{ params.rate }}" }
  train:
    uses: imputation/train
    with: { data: "\${{ stages.holdout.masked }}", latentDim: 16, epochs: "\${{ params.epochs * 2 }}" }
  impute:
    uses: imputation/impute
    with: { data: "\${{ stages.holdout.masked }}", model: "\${{ stages.train.model }}" }
  evaluate:
    uses: imputation/evaluate
    with: { imputed: "\${{ stages.impute.data }}", truth: "\${{ stages.ingest.data }}" }
    gate: "metrics.rmse <= metrics.baselines.knn.rmse"
`;

function check(text: string, files: Record<string, string> = {}): Diagnostic[] {
  return compile({ text, file: 'p.yaml' }, registry, {
    readFile: (path) => {
      const file = path.replace(/^\.\//, '');
      return file in files ? { file, text: files[file]! } : { error: 'it is outside of the project' };
    },
  }).diagnostics;
}

/** The one mistake that a change of the sound pipeline makes. */
function mistake(from: string, to: string): Diagnostic {
  expect(SOUND).toContain(from);
  const found = check(SOUND.replace(from, to));
  expect(formatDiagnostics(found).split('\n\n')).toHaveLength(1);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('compile: a sound pipeline', () => {
  it('gives a plan without remarks', () => {
    const { plan, diagnostics } = compile({ text: SOUND, file: 'p.yaml' }, registry);
    expect(formatDiagnostics(diagnostics)).toBe('');
    expect(plan!.interpreter).toBe(1);
    expect(plan!.stages.map((s) => s.id)).toEqual(['ingest', 'holdout', 'train', 'impute', 'evaluate']);
    expect(plan!.stages.find((s) => s.id === 'evaluate')!.needs).toEqual(['impute', 'ingest']);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('lists the metric paths that expressions read, and no others', () => {
    const { plan } = compile({ text: SOUND, file: 'p.yaml' }, registry);
    expect(plan!.stages.find((s) => s.id === 'evaluate')!.outputs.metrics!.keep).toEqual([
      ['rmse'],
      ['baselines', 'knn', 'rmse'],
    ]);
    expect(plan!.stages.find((s) => s.id === 'train')!.outputs.metrics!.keep).toBeUndefined();
  });

  it('orders stages by need, whatever their order in the file', () => {
    const [head, stages] = SOUND.split('stages:\n');
    const blocks = stages!.split(/\n(?= {2}\w)/).map((block) => block.replace(/\n$/, ''));
    const { plan } = compile({ text: `${head}stages:\n${blocks.reverse().join('\n')}\n`, file: 'p.yaml' }, registry);
    expect(plan!.stages.map((s) => s.id)).toEqual(['ingest', 'holdout', 'train', 'impute', 'evaluate']);
  });
});

describe('compile: names', () => {
  it.each([
    ['imputation/train', 'imputation/trian', 'unknown-stage', 'imputation/train'],
    ['imputation/mask', 'imputaton/mask', 'unknown-plugin', 'imputation/mask'],
    ['latentDim', 'latentDimm', 'unknown-option', 'latentDim'],
    ['minRows', 'minRow', 'unknown-option', 'minRows'],
    ['stages.train.model', 'stages.trian.model', 'unknown-reference', 'train'],
    ['stages.train.model', 'stages.train.modle', 'unknown-reference', 'model'],
    ['params.rate', 'params.rat', 'unknown-reference', 'rate'],
    ['metrics.rmse', 'metrics.rsme', 'unknown-reference', 'rmse'],
    ['baselines.knn.rmse"', 'baselines.knn.rsme"', 'unknown-reference', 'rmse'],
    ['    gate:', '    gates:', 'unknown-key', 'gate'],
    ['name: wdbc', 'name: wdbc\ntitel: x', 'unknown-key', 'title'],
    ['minimum: 0.01', 'minumum: 0.01', 'unknown-key', 'minimum'],
  ])('%s → %s is found, and what was meant is said', (from, to, code, suggestion) => {
    expect(mistake(from, to)).toMatchObject({ code, suggestion });
  });

  it('points at the character', () => {
    const d = mistake('metrics.rmse <=', 'metrics.rsme <=');
    expect(
      SOUND.replace('metrics.rmse <=', 'metrics.rsme <=')
        .split('\n')
        [d.line - 1]!.slice(d.column - 1),
    ).toMatch(/^metrics\.rsme/);
    expect(formatDiagnostics([d])).toContain('p.yaml:22:12 error: `metrics` has no `rsme` [unknown-reference]');
    expect(formatDiagnostics([d])).toMatch(/did you mean rmse\?\n {2}22 \| .*\n {5}\| {12}\^$/);
  });

  it('says that nothing is installed under a name, with all that is', () => {
    expect(mistake('data/ingest', 'warehouse/read').expected).toContain('data, denoising, imputation');
  });

  it('says of an unknown stage nothing but that, whatever its inputs are', () => {
    const text = SOUND.replace('imputation/impute', 'imputation/imptue').replace(
      '"${{ stages.train.model }}"',
      `"\${{ first(stages.train.model, named('imputer@latest')) }}"`,
    );
    expect(check(text).map((d) => d.code)).toEqual(['unknown-stage']);
  });

  it('refuses ids that expressions could not name', () => {
    expect(mistake('  holdout:', '  hold-out: { uses: data/ingest, with: { uri: x } }\n  holdout:')).toMatchObject({
      code: 'bad-id',
      suggestion: 'hold_out',
    });
  });

  it('refuses names that differ only in case', () => {
    expect(mistake('  holdout:', '  Ingest: { uses: data/ingest, with: { uri: x } }\n  holdout:')).toMatchObject({
      code: 'ambiguous-id',
      message: 'The stages `ingest` and `Ingest` differ only in case',
    });
    expect(mistake('  epochs: {', '  RATE: 1\n  epochs: {').code).toBe('ambiguous-id');
  });
});

describe('compile: kinds and values', () => {
  it.each([
    ['"${{ stages.train.model }}"', '"${{ stages.ingest.data }}"', 'wrong-kind', 'model (imputation)', 'dataset'],
    [
      'truth: "${{ stages.ingest.data }}"',
      'truth: "${{ stages.train.model }}"',
      'wrong-kind',
      'dataset',
      'model (imputation)',
    ],
    ['"${{ stages.train.model }}"', 'model.bin', 'wrong-kind', '${{ stages.STAGE.OUTPUT }}', 'model.bin'],
    ['latentDim: 16', 'latentDim: 0', 'option-invalid', 'at least 1', '0'],
    ['latentDim: 16', 'latentDim: big', 'option-invalid', 'number', '"big"'],
    ['rate: "${{ params.rate }}"', 'rate: 0', 'option-invalid', 'more than 0', '0'],
    ['rate: "${{ params.rate }}"', 'rate: 1', 'option-invalid', 'less than 1', '1'],
    ['rate: "${{ params.rate }}"', 'mechanism: mcra', 'option-invalid', 'mcar, mar, mnar', '"mcra"'],
    ['latentDim: 16', 'latentDim: "${{ run.id }}"', 'option-invalid', 'number', 'string'],
    ['rate: "${{ params.rate }}"', 'rate: "${{ params.rate * 10.0 }}"', 'option-invalid', 'less than 1', '2'],
    ['contract: { minRows: 500 }', 'contract: 500', 'option-invalid', 'object', '500'],
  ])('%s → %s is refused with what was expected and found', (from, to, code, expected, found) => {
    const d = mistake(from, to);
    expect(d.code).toBe(code);
    expect(d.expected).toContain(expected);
    expect(d.found).toContain(found);
  });

  it('refuses a model of another application', () => {
    const text = SOUND.replace(
      '  impute:',
      '  other: { uses: denoising/train, with: { data: "${{ stages.ingest.data }}" } }\n  impute:',
    ).replace('stages.train.model', 'stages.other.model');
    const [d] = check(text);
    expect(d).toMatchObject({ code: 'wrong-kind', expected: 'model (imputation)' });
    expect(d!.found).toContain('model (denoising)');
  });

  it('misses inputs and options that are required', () => {
    expect(mistake('uri: ../data/wdbc.parquet, ', '')).toMatchObject({
      code: 'missing-option',
      expected: 'string: File to read',
    });
    expect(mistake(', model: "${{ stages.train.model }}"', '').message).toBe(
      'imputation/impute needs the input `model`',
    );
  });

  it('checks the types within expressions', () => {
    expect(mistake('metrics.rmse <=', 'metrics.baselines <=').code).toBe('expression-type');
    expect(mistake('"metrics.rmse <= metrics.baselines.knn.rmse"', '"metrics.rmse"')).toMatchObject({
      expected: 'boolean',
      found: 'number',
    });
    expect(mistake('params.epochs * 2', "params.epochs + 'x'").found).toBe('integer + string');
    expect(mistake('params.epochs * 2', 'params.epochs *').code).toBe('expression-syntax');
    expect(mistake('params.epochs * 2 }}', 'params.epochs * 2').code).toBe('expression-syntax');
    expect(mistake('params.epochs * 2', 'maxx(params.epochs, 2)')).toMatchObject({
      code: 'unknown-function',
      suggestion: 'max',
    });
  });

  it('checks durations, retries, seeds and timeouts', () => {
    const train = '    uses: imputation/train\n';
    expect(mistake(train, `${train}    timeout: 4 hours\n`).expected).toContain('4h');
    expect(mistake(train, `${train}    retry: 0\n`).code).toBe('wrong-type');
    expect(mistake(train, `${train}    retry: { maxAttempts: 3, backoff: 2s }\n`).code).toBe('unknown-key');
    expect(mistake(train, `${train}    resources: { accelerator: maybe }\n`).code).toBe('wrong-value');
    expect(mistake(train, `${train}    resources: { memory: lots }\n`).expected).toContain('4GiB');
    expect(mistake('name: wdbc', 'name: wdbc\nseed: -1').code).toBe('wrong-type');
  });

  it('checks params and their defaults', () => {
    expect(mistake('default: 0.2', 'default: 0.95').message).toContain('expected at most 0.9');
    expect(mistake('type: integer', 'type: int')).toMatchObject({ code: 'wrong-value', suggestion: 'integer' });
  });
});

describe('compile: order', () => {
  it('prints a cycle', () => {
    const found = check(
      SOUND.replace('data: "${{ stages.ingest.data }}", rate', 'data: "${{ stages.impute.data }}", rate'),
    );
    expect(found.map((d) => d.code)).toEqual(['cycle', 'cycle']);
    expect(found.map((d) => d.message).join()).toContain('holdout → impute → holdout');
    expect(found.map((d) => d.message).join()).toContain('holdout → impute → train → holdout');
  });

  it('finds a stage that needs itself', () => {
    expect(mistake('    gate:', '    needs: [evaluate]\n    gate:').message).toContain('evaluate → evaluate');
  });

  it('finds a need that does not exist', () => {
    expect(mistake('    gate:', '    needs: [trian]\n    gate:').suggestion).toBe('train');
  });
});

describe('compile: schedule', () => {
  const schedule = (text: string): Diagnostic => mistake('name: wdbc\n', `name: wdbc\nschedule: ${text}\n`);

  it.each(['0 3 * *', '61 3 * * *', 'every day', '0 0 3 * * *', '0 3 * * mo'])('refuses the cron %s', (cron) => {
    expect(schedule(`{ cron: "${cron}" }`)).toMatchObject({ code: 'bad-cron', found: `"${cron}"` });
  });

  it('takes a good one', () => {
    expect(
      check(
        SOUND.replace(
          'name: wdbc\n',
          'name: wdbc\nschedule: { cron: "0 3 * * 1-5", timezone: Europe/Berlin, catchupWindow: 6h }\n',
        ),
      ),
    ).toEqual([]);
  });

  it('refuses a timezone that does not exist, with the near one', () => {
    expect(schedule('{ cron: "0 3 * * *", timezone: Europe/Berln }')).toMatchObject({
      code: 'bad-timezone',
      suggestion: 'Europe/Berlin',
    });
  });

  it('checks params of scheduled runs', () => {
    expect(schedule('{ cron: "0 3 * * *", params: { rat: 0.3 } }').suggestion).toBe('rate');
    expect(schedule('{ cron: "0 3 * * *", params: { rate: 3 } }').message).toContain('at most 0.9');
  });
});

describe('compile: the document', () => {
  it.each([
    ['', 'empty'],
    ['# nothing but a remark\n', 'empty'],
    ['- a\n- b\n', 'wrong-type'],
    ['hourglass: v1\nname: x\n', 'missing-key'],
    ['hourglass: v1\nname: x\nstages: {}\n', 'empty'],
    ['hourglass: v1\nname: x\nstages: [a]\n', 'wrong-type'],
    ['hourglass: v2\nname: x\nstages: { a: { uses: data/ingest, with: { uri: x } } }\n', 'wrong-version'],
    ['hourglass: v1\nname: x\nstages:\n  a: { uses: data/ingest, with: { uri: x }\n', 'yaml-syntax'],
    ['hourglass: v1\nname: x\n\tstages: 1\n', 'yaml-syntax'],
  ])('%j: %s', (text, code) => {
    expect(check(text).map((d) => d.code)).toContain(code);
  });

  it('finds keys that stand twice', () => {
    expect(mistake('  train:', '  ingest: { uses: data/ingest, with: { uri: y } }\n  train:')).toMatchObject({
      code: 'duplicate-key',
      path: 'stages.ingest',
    });
  });

  it('survives aliases that hold themselves or multiply', () => {
    expect(check('a: &a\n  b: *a\n').map((d) => d.code)).toContain('yaml-syntax');
    const levels = Array.from(
      { length: 30 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    );
    expect(check(`l0: &l0 x\n${levels.join('\n')}\n`).map((d) => d.code)).toContain('yaml-syntax');
  });

  it('reports all mistakes in one pass, in order of their place', () => {
    const found = check(
      SOUND.replace('imputation/mask', 'imputation/maks')
        .replace('latentDim: 16', 'latentDim: 0')
        .replace('stages.train.model', 'stages.trian.model')
        .replace('metrics.rmse', 'metrics.rsme')
        .replace('    gate', '    cach: true\n    gate')
        .replace('minRows', 'minRow'),
    );
    expect(found.map((d) => d.code)).toEqual([
      'unknown-option',
      'unknown-stage',
      'option-invalid',
      'unknown-reference',
      'unknown-key',
      'unknown-reference',
    ]);
    expect(found.map((d) => d.line)).toEqual([...found.map((d) => d.line)].sort((a, b) => a - b));
  });
});

describe('compile: groups', () => {
  const GROUP = `hourglass: v1
name: regions
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  regions:
    forEach: { in: "\${{ stages.ingest.data }}", as: part }
    stages:
      train: { uses: imputation/train, with: { data: "\${{ part }}" } }
      impute: { uses: imputation/impute, with: { data: "\${{ part }}", model: "\${{ stages.train.model }}" } }
      evaluate: { uses: imputation/evaluate, with: { imputed: "\${{ stages.impute.data }}", truth: "\${{ stages.ingest.data }}" } }
    outputs:
      data: "\${{ stages.impute.data }}"
      model: "\${{ stages.train.model }}"
      metrics: "\${{ stages.evaluate.metrics }}"
    gate: metrics.all(key, metrics[key].rmse < 1.0)
  export: { uses: data/export, with: { data: "\${{ stages.regions.data }}", uri: out.parquet } }
`;

  it('compiles, with collected outputs typed and the metrics that its gate reads kept within', () => {
    const { plan, diagnostics } = compile({ text: GROUP, file: 'p.yaml' }, registry);
    expect(formatDiagnostics(diagnostics)).toBe('');
    const group = plan!.stages.find((s) => s.id === 'regions')!;
    expect(group.needs).toEqual(['ingest']);
    expect(group.outputs).toEqual({
      data: { kind: 'dataset' },
      model: { kind: 'model', application: 'imputation', list: true },
      metrics: { kind: 'metrics', keep: [['*keys'], ['*', 'rmse']] },
    });
    expect(group.group!.stages.find((s) => s.id === 'evaluate')!.outputs.metrics!.keep).toEqual([['rmse']]);
  });

  it.each([
    ['stages.regions.data', 'stages.impute.data', 'inside the group `regions`'],
    ['stages.regions.data', 'stages.regions.train', 'only the group'],
    ['data: "${{ stages.regions.data }}"', 'data: "${{ stages.regions.model }}"', 'takes a dataset'],
    ['model: "${{ stages.train.model }}"\n', 'model: "${{ stages.ingest.data }}"\n', 'The group has no stage `ingest`'],
    ['metrics[key].rmse', 'metrics[key].rsme', 'rsme'],
    ['"${{ part }}", model', '"${{ prat }}", model', 'There is no `prat` here'],
    ['      train: {', '      ingest: {', 'the name of a stage around its group'],
  ])('%s → %s is refused', (from, to, message) => {
    expect(GROUP).toContain(from);
    expect(
      check(GROUP.replace(from, to))
        .map((d) => d.message)
        .join('\n'),
    ).toContain(message);
  });

  const PARENT = `hourglass: v1
name: parent
params: { n: { type: integer, default: 3 } }
stages:
  sub:
    uses: ./other.yaml
    with: { epochs: "\${{ params.n }}" }
    outputs: { model: "\${{ stages.train.model }}" }
`;
  const OTHER = `hourglass: v1
name: other
params: { epochs: { type: integer } }
stages:
  ingest: { uses: data/ingest, with: { uri: x } }
  train: { uses: imputation/train, with: { data: "\${{ stages.ingest.data }}", epochs: "\${{ params.epochs }}" } }
`;

  it('takes a file as a group, with `with` as its params', () => {
    expect(formatDiagnostics(check(PARENT, { 'other.yaml': OTHER }))).toBe('');
  });

  it('reports mistakes inside the other file at their place there', () => {
    const [d] = check(PARENT, { 'other.yaml': OTHER.replace('params.epochs', 'params.epoch') });
    expect(d).toMatchObject({ file: 'other.yaml', line: 6, suggestion: 'epochs' });
  });

  it.each([
    ['with: { epochs: "${{ params.n }}" }', 'with: {}', 'has no default and was not given'],
    ['epochs: "${{ params.n }}"', 'epochs: many', 'expected an integer'],
    ['epochs: "${{ params.n }}"', 'epoch: 3', 'there is no param `epoch`'],
    ['epochs: "${{ params.n }}"', 'epochs: "${{ run.id }}"', 'expected integer, found string'],
  ])('checks its params: %s → %s', (from, to, message) => {
    expect(
      check(PARENT.replace(from, to), { 'other.yaml': OTHER })
        .map((d) => d.message)
        .join('\n'),
    ).toContain(message);
  });

  it('isolates the other file from the stages around it', () => {
    const reaching = OTHER.replace('stages.ingest.data', 'stages.outside.data');
    const parent = `${PARENT}  outside: { uses: data/ingest, with: { uri: x } }\n`;
    expect(check(parent, { 'other.yaml': reaching }).map((d) => d.code)).toContain('unknown-reference');
  });

  it('refuses recursion, printing the way', () => {
    const self = PARENT.replace('./other.yaml', './p.yaml');
    const [d] = check(self, { 'p.yaml': self });
    expect(d).toMatchObject({ code: 'recursion' });
    expect(d!.message).toContain('p.yaml → p.yaml');
    const loop = OTHER.replace(
      'ingest: { uses: data/ingest, with: { uri: x } }',
      'ingest: { uses: ./p.yaml, outputs: { data: "${{ stages.sub.model }}" } }',
    );
    expect(
      check(PARENT, { 'p.yaml': PARENT, 'other.yaml': loop })
        .map((x) => x.message)
        .join('\n'),
    ).toContain('p.yaml → other.yaml → p.yaml');
  });

  it('refuses a file that the host does not give', () => {
    expect(check(PARENT.replace('./other.yaml', '../../etc/x.yaml'))[0]).toMatchObject({ code: 'file-unreadable' });
  });
});

describe('compile: fan-out, names and choices', () => {
  const train = (more: string): Diagnostic[] =>
    check(SOUND.replace('    uses: imputation/train\n', `    uses: imputation/train\n${more}`));

  it.each([
    ['    sweep: { matrix: { dim: [4, 8] }, select: { metric: loss, mode: min } }\n', undefined],
    ['    sweep: { values: [4, 8], until: "metrics.loss < 0.1" }\n', undefined],
    ['    sweep: { values: [4, 8], until: "metrics.los < 0.1" }\n', 'loss'],
    ['    sweep: { values: [4, 8], select: { metric: lss } }\n', 'loss'],
    ['    sweep: { values: [] , select: { metric: loss } }\n', 'no values'],
    ['    sweep: { select: { metric: loss } }\n', 'either `matrix` or `values`'],
    ['    sweep: { values: [4] }\n', 'needs `select`'],
    ['    sweep: { values: [4], select: { metric: loss, mode: best } }\n', 'cannot be "best"'],
    ['    forEach: { in: [] }\n', 'empty list'],
    ['    forEach: { in: 3 }\n', 'must be a list'],
    ['    forEach: { as: x }\n', 'needs `in`'],
    ['    forEach: { in: [a, b], as: params }\n', 'already means something'],
    ['    forEach: { in: [a, b], failureBudget: 120% }\n', 'a count or a share'],
    ['    forEach: { in: [a, b], maxParallel: 0 }\n', 'must be a whole number'],
    ['    forEach: { in: [a] }\n    sweep: { values: [4], select: { metric: loss } }\n', 'both `forEach` and `sweep`'],
    ['    onSkipped: maybe\n', 'cannot be "maybe"'],
    ['    onFailure: { wait: long }\n', 'duration'],
    ['    approve: { timeout: 1d, onTimeout: perhaps }\n', 'cannot be "perhaps"'],
    ['    when: params.rate\n', 'must give true or false'],
    ['    when: metrics.loss > 1\n', 'There is no `metrics` here'],
  ])('%s', (more, message) => {
    const found = train(more).filter((d) => !d.message.includes('takes a model'));
    if (message === undefined) expect(formatDiagnostics(found)).toBe('');
    else expect(formatDiagnostics(found)).toContain(message);
  });

  it('knows that a list of models is not a model', () => {
    const [d] = train('    forEach: { in: "${{ stages.ingest.data }}" }\n');
    expect(d).toMatchObject({ code: 'wrong-kind', path: 'stages.impute.with.model' });
    expect(d!.found).toContain('list of model (imputation)');
  });

  it('checks names and choices among artifacts', () => {
    const model = (text: string): string => formatDiagnostics(check(SOUND.replace('stages.train.model', text)));
    expect(model("first(stages.train.model, named('imputer@latest'))")).toBe('');
    expect(model("named('no such name')")).toContain('is not a name');
    expect(model('named(params.rate)')).toContain('takes one text');
    expect(model('first(stages.train.model, stages.ingest.data)')).toContain('artifacts of one kind');
    expect(model('stages.train.model + 1')).toContain('Expected an artifact');
  });

  it('warns of a choice that never comes', () => {
    const text = SOUND.replace(
      '    uses: imputation/train\n',
      '    uses: imputation/train\n    when: params.epochs > 3\n',
    ).replace('stages.train.model', "first(stages.train.model, named('imputer@latest'))");
    expect(check(text)).toMatchObject([{ severity: 'warning', code: 'skipped-choice', expected: '`onSkipped: run`' }]);
    expect(check(text.replace('imputation/impute\n', 'imputation/impute\n    onSkipped: run\n'))).toEqual([]);
  });

  it('warns of a gate or an approval of what is written by then, also inside a group', () => {
    const writer = `uses: data/export, with: { data: "\${{ stages.ingest.data }}", uri: out.csv }`;
    const checked = (stage: string): string =>
      formatDiagnostics(
        check(`hourglass: v1\nname: p\nstages:\n  ingest: { uses: data/ingest, with: { uri: x } }\n  out: ${stage}\n`),
      );
    expect(checked(`{ ${writer}, approve: true }`)).toMatch(
      /warning: What `out` writes is written before anyone is asked[^]*`approve` on the stage before it, which `out` then names in `needs`/,
    );
    expect(checked(`{ ${writer}, gate: "params == params" }`)).toContain('before the gate is judged');
    expect(checked(`{ stages: { file: { ${writer} } }, approve: {} }`)).toContain('What `out.file` writes');
    expect(checked(`{ ${writer}, approve: false }`)).toBe('');
    expect(checked(`{ ${writer}, needs: [ingest] }`)).toBe('');
  });

  it('warns of an approval without an end in a scheduled run', () => {
    const found = (head: string, approve: string): string =>
      formatDiagnostics(
        check(
          `hourglass: v1\nname: p\n${head}stages:\n  in: { uses: data/ingest, with: { uri: x }, approve: ${approve} }\n`,
        ),
      );
    const scheduled = 'schedule: { cron: "0 3 * * *" }\n';
    expect(found(scheduled, 'true')).toMatch(/warning: A scheduled run waits here for ever[^]*\{ timeout: 8h/);
    expect(found(scheduled, '{ timeout: 1h }')).toBe('');
    expect(found('', 'true')).toBe('');
  });

  it('checks what is published', () => {
    expect(formatDiagnostics(check(`${SOUND}publish: { x: "\${{ stages.trian.model }}" }\n`))).toContain(
      'did you mean train?',
    );
    expect(formatDiagnostics(check(`${SOUND}publish: { "a b": "\${{ stages.train.model }}" }\n`))).toContain(
      'published name',
    );
    expect(formatDiagnostics(check(`${SOUND}publish: { x: 3 }\n`))).toContain('takes an artifact');
  });
});
