import { describe, expect, it } from 'vitest';
import { expr, firstOf, namedArtifact, pipeline } from '../builder.ts';
import { compile } from '../compile.ts';
import { formatDiagnostics } from '../diagnostic.ts';
import { data, imputation, registry } from './support/plugins.ts';

describe('pipeline builder', () => {
  it('writes the document that a file would hold', () => {
    const p = pipeline({ name: 'wdbc', seed: 7, params: { rate: { type: 'number', default: 0.2 } } });
    const ingest = p.stage('ingest', data.stages.ingest, { uri: 'wdbc.parquet' });
    const holdout = p.stage('holdout', imputation.stages.mask, {
      data: ingest.outputs.data,
      rate: expr('params.rate'),
    });
    const train = p.stage(
      'train',
      imputation.stages.train,
      { data: holdout.outputs.masked, latentDim: 8 },
      { retry: { maxAttempts: 5 }, needs: [ingest] },
    );
    p.publish('imputer', train.outputs.model);
    expect(p.toDocument()).toEqual({
      hourglass: 'v1',
      name: 'wdbc',
      seed: 7,
      params: { rate: { type: 'number', default: 0.2 } },
      stages: {
        ingest: { uses: 'data/ingest', with: { uri: 'wdbc.parquet' } },
        holdout: { uses: 'imputation/mask', with: { data: '${{ stages.ingest.data }}', rate: '${{ params.rate }}' } },
        train: {
          uses: 'imputation/train',
          with: { data: '${{ stages.holdout.masked }}', latentDim: 8 },
          needs: ['ingest'],
          retry: { maxAttempts: 5 },
        },
      },
      publish: { imputer: '${{ stages.train.model }}' },
    });
    const compiled = compile(p.toSource(), registry);
    expect(formatDiagnostics(compiled.diagnostics)).toBe('');
    expect(compiled.plan?.stages.map((stage) => stage.id)).toEqual(['ingest', 'holdout', 'train']);
  });

  it('writes groups, fan-outs and choices among artifacts', () => {
    const p = pipeline({ name: 'regions' });
    const ingest = p.stage('ingest', data.stages.ingest, { uri: 'x' });
    const group = p.group(
      'regions',
      (inside) => {
        const train = inside.stage('train', imputation.stages.train, { data: expr('part') });
        return { model: train.outputs.model };
      },
      { forEach: { in: ingest.outputs.data, as: 'part' } },
    );
    p.stage('apply', imputation.stages.impute, {
      data: ingest.outputs.data,
      model: firstOf(namedArtifact('imputer@champion'), namedArtifact('imputer@latest')),
    });
    expect(group.outputs.model.expression).toBe('stages.regions.model');
    const { plan, diagnostics } = compile(p.toSource(), registry);
    expect(formatDiagnostics(diagnostics)).toBe('');
    expect(plan?.stages.find((s) => s.id === 'regions')?.outputs.model).toEqual({
      kind: 'model',
      application: 'imputation',
      list: true,
    });
    expect(plan?.names).toEqual([
      { name: 'imputer@champion', optional: true },
      { name: 'imputer@latest', optional: true },
    ]);
  });

  it('lets TypeScript refuse what compile would refuse', () => {
    const p = pipeline({ name: 'typed' });
    const ingest = p.stage('ingest', data.stages.ingest, { uri: 'x' });
    const train = p.stage('train', imputation.stages.train, { data: ingest.outputs.data });
    // @ts-expect-error an option that does not exist
    p.stage('a', imputation.stages.train, { data: ingest.outputs.data, latentDimm: 8 });
    // @ts-expect-error an input is missing
    p.stage('b', imputation.stages.train, {});
    // @ts-expect-error a model where a dataset is needed
    p.stage('c', imputation.stages.mask, { data: train.outputs.model });
    // @ts-expect-error an output that does not exist
    void train.outputs.weights;
    expect(compile(p.toSource(), registry).diagnostics.map((d) => d.code)).toEqual([
      'unknown-option',
      'missing-input',
      'wrong-kind',
    ]);
  });
});
