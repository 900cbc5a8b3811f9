import { describe, expect, it } from 'vitest';
import { pipelineJsonSchema } from '../json-schema.ts';
import { PIPELINE_KEYS } from '../compile.ts';
import { STAGE_KEYS } from '../compile/check-stage.ts';
import { registry } from './support/plugins.ts';

interface Schema {
  properties: Record<string, Schema>;
  $defs: Record<string, Schema>;
  allOf: { if: unknown; then: unknown }[];
  anyOf: Schema[];
  required?: string[];
  [key: string]: unknown;
}

const schema = pipelineJsonSchema(registry) as Schema;

describe('pipelineJsonSchema', () => {
  it('knows every key of the grammar that compile knows', () => {
    expect(Object.keys(schema.properties).sort()).toEqual([...PIPELINE_KEYS].sort());
    expect(Object.keys(schema.$defs.stage!.properties).sort()).toEqual([...STAGE_KEYS].sort());
  });

  it('holds options of every stage with meaning, type, default and the choice of an expression', () => {
    const train = schema.$defs['with:imputation:train']!;
    expect(train.required).toEqual(['data']);
    expect(train.properties.latentDim).toMatchObject({
      description: 'Size of the latent\n\ninteger from 1, default 16',
      default: 16,
      anyOf: [{ type: 'integer', minimum: 1 }, { $ref: '#/$defs/expression' }],
    });
    expect(schema.$defs.stage!.allOf).toHaveLength(8);
  });

  it('takes expressions inside of values as well', () => {
    const { contract } = schema.$defs['with:data:ingest']!.properties;
    expect(contract!.anyOf[0]!.properties.minRows!.anyOf).toEqual([
      expect.objectContaining({ type: 'integer', minimum: 1 }),
      { $ref: '#/$defs/expression' },
    ]);
    expect(contract!.anyOf[0]!.properties.notNull!.anyOf[0]!.items).toEqual({
      anyOf: [{ type: 'string' }, { $ref: '#/$defs/expression' }],
    });
  });

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)].map((match) => match[1]!);
    expect(refs.length).toBeGreaterThan(10);
    for (const name of refs) expect(Object.keys(schema.$defs)).toContain(name);
  });
});
