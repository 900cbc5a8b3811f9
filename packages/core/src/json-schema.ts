import { z } from 'zod';
import type { ArtifactType } from './artifact.ts';
import { describeStage, type OptionDescription } from './describe-stage.ts';
import { typeOfArtifact } from './expression/schema-type.ts';
import { formatType } from './expression/value-type.ts';
import type { Registry } from './registry.ts';
import type { StageManifest } from './stage.ts';

type Schema = Record<string, unknown>;

const EXPRESSION = '\\$\\{\\{.*\\}\\}';
const ARTIFACT = `^\\s*${EXPRESSION}\\s*$`;
const ID_PATTERN = '^[A-Za-z_][A-Za-z0-9_]*$';
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const condition = (description: string): Schema => ({ type: ['string', 'boolean'], description });
const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const fields = (properties: Record<string, Schema | true>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

/**
 * JSON Schema of a pipeline file with the stages and options of every installed plugin, so that editors complete and
 * explain: `# yaml-language-server: $schema=…`.
 */
export function pipelineJsonSchema(registry: Registry): Schema {
  const stages = [...registry.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((plugin) => Object.values(plugin.stages).sort((a, b) => (a.id < b.id ? -1 : 1)));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Hourglass pipeline',
    ...fields(
      {
        hourglass: { const: 'v1', description: 'Version of the grammar' },
        name: text('Name of the pipeline: runs, schedules and records carry it', {
          pattern: '^[A-Za-z_][A-Za-z0-9_-]*$',
        }),
        title: text('What it does, for people'),
        engine: text('Tensor engine: `auto` takes the fastest that is here', { default: 'auto' }),
        seed: {
          type: 'integer',
          minimum: 0,
          maximum: 4294967295,
          default: 0,
          description: 'Same seed, same engine, same bytes',
        },
        params: {
          type: 'object',
          description: 'Values given at the start of a run',
          propertyNames: { pattern: ID_PATTERN },
          additionalProperties: ref('param'),
        },
        schedule: ref('schedule'),
        stages: ref('stages'),
        publish: {
          type: 'object',
          description: 'Names that point to artifacts of this run when it succeeds',
          additionalProperties: ref('artifact'),
        },
      },
      { required: ['hourglass', 'name', 'stages'] },
    ),
    $defs: {
      ...grammar(),
      stage: stageSchema(stages),
      ...Object.fromEntries(stages.map((s) => [withName(s), withSchema(s)])),
    },
  };
}

function grammar(): Record<string, Schema> {
  return {
    expression: {
      type: 'string',
      pattern: EXPRESSION,
      description: 'An expression: ${{ params.NAME }}, ${{ stages.STAGE.OUTPUT }}',
    },
    artifact: {
      type: 'string',
      pattern: ARTIFACT,
      description: '${{ stages.STAGE.OUTPUT }}, ${{ named("NAME@latest") }} or ${{ first(…, …) }}',
    },
    duration: {
      type: 'string',
      pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$',
      description: 'For example 60s, 30m, 4h, 1h30m',
    },
    stages: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: ID_PATTERN },
      additionalProperties: ref('stage'),
    },
    param: {
      anyOf: [
        fields({
          type: { enum: ['number', 'integer', 'string', 'boolean', 'list', 'object'] },
          default: { description: 'Taken when a run gives no value' },
          minimum: { type: 'number' },
          maximum: { type: 'number' },
          enum: { type: 'array', minItems: 1, description: 'The allowed values' },
          description: { type: 'string' },
        }),
        { type: ['number', 'string', 'boolean', 'array'], description: 'A default, which says the type as well' },
      ],
    },
    schedule: fields(
      {
        cron: text('Minute hour day month weekday', { examples: ['0 3 * * *'] }),
        timezone: text('IANA name', { default: 'UTC', examples: ['Europe/Berlin'] }),
        overlap: {
          enum: ['skip', 'buffer', 'allow'],
          default: 'skip',
          description: 'When the run before is still going',
        },
        catchupWindow: { ...ref('duration') },
        params: { type: 'object', description: 'Params of scheduled runs' },
      },
      { required: ['cron'] },
    ),
    forEach: fields(
      {
        in: {
          anyOf: [ref('expression'), { type: 'array', minItems: 1 }],
          description: 'A dataset (its parts) or a list',
        },
        as: text('Name of the item in expressions', { pattern: ID_PATTERN, default: 'item' }),
        maxParallel: { type: 'integer', minimum: 1, default: 8 },
        failureBudget: {
          anyOf: [
            { type: 'integer', minimum: 0 },
            { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*%$' },
          ],
          default: 0,
          description: 'Failed items that are tolerated: a count or a share',
        },
      },
      { required: ['in'] },
    ),
    sweep: fields({
      as: text('Name of the point in expressions', { pattern: ID_PATTERN, default: 'point' }),
      matrix: { type: 'object', minProperties: 1, description: 'Lists by name: every combination is a point' },
      values: { anyOf: [ref('expression'), { type: 'array', minItems: 1 }], description: 'Points in order' },
      select: fields(
        { metric: text('Metric that decides'), mode: { enum: ['min', 'max'], default: 'min' } },
        { required: ['metric'] },
      ),
      until: condition('Stop at the first point for which this CEL expression is true'),
      maxParallel: { type: 'integer', minimum: 1 },
    }),
  };
}

function stageSchema(stages: readonly StageManifest[]): Schema {
  return fields(
    {
      uses: {
        description: 'The stage of a plugin, or a pipeline file as a group',
        anyOf: [
          { oneOf: stages.map((stage) => ({ const: stage.id, description: stage.summary })) },
          { type: 'string', pattern: '^\\.{0,2}/|\\.ya?ml$' },
        ],
      },
      stages: described('A group: stages of its own', ref('stages')),
      outputs: {
        type: 'object',
        description: "A group's outputs",
        propertyNames: { pattern: ID_PATTERN },
        additionalProperties: ref('artifact'),
      },
      // Said by the stage that is used; anything said here too would be offered beside it.
      with: true,
      needs: {
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
        description: 'Stages that must be done before, besides those whose outputs are read',
      },
      when: condition('Run only if this CEL expression is true; else skip'),
      onSkipped: {
        enum: ['skip', 'run'],
        default: 'skip',
        description: 'What to do when a stage it needs was skipped',
      },
      forEach: described('Run once for each part of a dataset or item of a list', ref('forEach')),
      sweep: described('Run at several points of options and select the best', ref('sweep')),
      gate: condition('The run fails unless this CEL expression over the metrics is true: metrics.rmse <= 0.1'),
      approve: {
        anyOf: [
          { type: 'boolean' },
          fields({
            timeout: ref('duration'),
            onTimeout: { enum: ['reject', 'approve'], default: 'reject' },
            message: { type: 'string' },
          }),
        ],
        description: 'A person must say yes',
      },
      onFailure: {
        anyOf: [{ const: 'fail' }, fields({ wait: ref('duration') }, { required: ['wait'] })],
        default: 'fail',
        description: 'fail, or wait that long for a person to retry, skip or give up',
      },
      resources: fields(
        {
          accelerator: { enum: ['none', 'preferred', 'required'], description: 'Whether it runs where a GPU is' },
          memory: { type: ['string', 'number'], description: '4GiB, 512MiB, or MiB as a number' },
        },
        { description: 'What the stage asks of the machine' },
      ),
      timeout: {
        anyOf: [ref('duration'), fields({ attempt: ref('duration'), heartbeat: ref('duration') })],
        description: 'How long an attempt may take, and how long it may be silent',
      },
      retry: {
        description: 'Attempts at errors that may pass: a number, or with pauses that grow',
        anyOf: [
          { type: 'integer', minimum: 1 },
          fields({
            maxAttempts: { type: 'integer', minimum: 1, default: 3 },
            initialInterval: ref('duration'),
            coefficient: { type: 'number', minimum: 1, default: 2 },
            maxInterval: ref('duration'),
          }),
        ],
      },
      cache: { type: 'boolean', default: true, description: 'false: run even if nothing it depends on changed' },
      title: text('For people'),
    },
    {
      anyOf: [{ required: ['uses'] }, { required: ['stages'] }],
      allOf: stages.map((stage) => ({
        if: { properties: { uses: { const: stage.id } }, required: ['uses'] },
        then: { properties: { with: ref(withName(stage)) } },
      })),
    },
  );
}

const withName = (stage: StageManifest): string => `with:${stage.id.replace('/', ':')}`;

/** Editors show what stands beside a `$ref` only if it is a choice of one. */
const described = (description: string, schema: Schema): Schema => ({ anyOf: [schema], description });

/** `with` of one stage: inputs and options. */
function withSchema(stage: StageManifest): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [name, input] of Object.entries(stage.inputs as Record<string, ArtifactType>)) {
    const kind = formatType(typeOfArtifact(input));
    properties[name] = {
      type: 'string',
      pattern: ARTIFACT,
      description: `${kind}${input.description ? `: ${input.description}` : ''}\n\n\${{ stages.STAGE.OUTPUT }}`,
    };
    if (!input.optional) required.push(name);
  }
  const options = z.toJSONSchema(stage.options, { io: 'input', unrepresentable: 'any', target: 'draft-7' }) as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  const explained = new Map(describeStage(stage).options.map((option) => [option.name, explain(option)]));
  for (const [name, option] of Object.entries(options.properties ?? {})) {
    const { description: _, default: fallback, ...schema } = option;
    // A recursive schema refers to definitions of its own document: here it is left open.
    const body = JSON.stringify(schema).includes('"$ref"') ? {} : schema;
    properties[name] = {
      anyOf: [inside(body), ref('expression')],
      description: explained.get(name)!,
      ...(fallback === undefined ? {} : { default: fallback }),
    };
  }
  required.push(...(options.required ?? []));
  return fields(properties, { description: stage.summary, ...(required.length > 0 ? { required } : {}) });
}

/** What an option means, what it takes and what it is when left out: editors show no more than this text. */
function explain({ description, type, preset, required, use }: OptionDescription): string {
  const takes = [
    type,
    ...(use ? [`a place that is ${use}`] : []),
    ...(required ? ['required'] : preset === undefined ? [] : [`default ${JSON.stringify(preset)}`]),
  ].join(', ');
  return description ? `${description}\n\n${takes}` : takes;
}

/** Expressions may stand for what is inside a value too: `sample: { rows: "${{ params.rows }}" }`. */
function inside(schema: Schema): Schema {
  const open = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    const { description, ...rest } = part as Schema;
    return { anyOf: [inside(rest), ref('expression')], ...(description === undefined ? {} : { description }) };
  };
  const opened: Schema = { ...schema };
  if (schema['properties'])
    opened['properties'] = Object.fromEntries(
      Object.entries(schema['properties']).map(([name, part]) => [name, open(part)]),
    );
  if (schema['additionalProperties']) opened['additionalProperties'] = open(schema['additionalProperties']);
  const { items } = schema;
  if (items) opened['items'] = Array.isArray(items) ? items.map(open) : open(items);
  for (const choice of ['anyOf', 'oneOf', 'allOf'])
    if (Array.isArray(schema[choice])) opened[choice] = (schema[choice] as Schema[]).map(inside);
  return opened;
}
