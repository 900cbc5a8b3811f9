import { z } from 'zod';
import type { StageManifest } from './stage.ts';

/** A stage in words, for lists and pages. */
export interface StageDescription {
  /** Such as `computes with tensors`, `version 1`. */
  traits: string[];
  inputs: PortDescription[];
  outputs: PortDescription[];
  options: OptionDescription[];
}

export interface PortDescription {
  name: string;
  /** `dataset`, `model (imputation)`, `dataset, optional`. */
  kind: string;
  description: string;
}

export interface OptionDescription {
  name: string;
  /** `integer from 1`, `mcar | mar | mnar`, `list of string`. */
  type: string;
  /** What it is when it is left out. */
  preset?: unknown;
  required: boolean;
  /** Of an option that names a place outside: whether the stage reads or writes there. */
  use?: 'read' | 'written';
  description: string;
}

interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

/** What a manifest says, in words: inputs, outputs and every option with its type, default and meaning. */
export function describeStage(stage: StageManifest): StageDescription {
  const { accelerator, engine, checkpoint } = stage.resources ?? {};
  const { properties = {}, required = [] } = toSchema(stage.options, 'input');
  return {
    traits: [
      ...(engine ? ['computes with tensors'] : []),
      ...(accelerator && accelerator !== 'none' ? [`accelerator ${accelerator}`] : []),
      ...(checkpoint ? ['saves checkpoints'] : []),
      `version ${stage.version}`,
    ],
    inputs: portsOf(stage.inputs),
    outputs: portsOf(stage.outputs),
    options: Object.entries(properties).map(([name, schema]) => ({
      name,
      type: typeText(schema),
      ...(schema.default === undefined ? {} : { preset: schema.default }),
      required: required.includes(name),
      ...(stage.sources?.includes(name)
        ? { use: 'read' as const }
        : stage.sinks?.includes(name)
          ? { use: 'written' as const }
          : {}),
      description: schema.description ?? '',
    })),
  };
}

const portsOf = (ports: StageManifest['inputs']): PortDescription[] =>
  Object.entries(ports).map(([name, { kind, application, optional, description, schema }]) => ({
    name,
    kind: `${kind}${application ? ` (${application})` : ''}${optional ? ', optional' : ''}`,
    description:
      description ?? (schema ? `metrics: ${Object.keys(toSchema(schema, 'output').properties ?? {}).join(', ')}` : ''),
  }));

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'anything'}`;
  if (schema.type === 'object') {
    const keys = Object.keys(schema.properties ?? {});
    return keys.length ? `{ ${keys.join(', ')} }` : 'record';
  }
  const huge = Number.MAX_SAFE_INTEGER;
  const low =
    schema.exclusiveMinimum !== undefined
      ? `over ${schema.exclusiveMinimum}`
      : schema.minimum !== undefined && schema.minimum > -huge
        ? `from ${schema.minimum}`
        : '';
  const high =
    schema.exclusiveMaximum !== undefined
      ? `under ${schema.exclusiveMaximum}`
      : schema.maximum !== undefined && schema.maximum < huge
        ? `to ${schema.maximum}`
        : '';
  return [String(schema.type ?? 'anything'), low, high].filter(Boolean).join(' ');
}
