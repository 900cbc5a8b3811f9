import { z } from 'zod';
import type { ArtifactType } from '../artifact.ts';
import { BOOL, DOUBLE, DYN, STRING } from './value-type.ts';
import type { ArtifactValueType, ValueType } from './value-type.ts';

interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

const cache = new WeakMap<z.ZodType, { output?: ValueType; input?: ValueType }>();

/** A zod schema as a static type. Numbers of any kind are `double`: JSON does not tell them apart. */
export function typeOfSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): ValueType {
  const known = cache.get(schema) ?? {};
  if (!known[io]) {
    const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;
    known[io] = fromJson(json, json, 0);
    cache.set(schema, known);
  }
  return known[io];
}

function fromJson(json: JsonSchema, root: JsonSchema, depth: number): ValueType {
  if (depth > 20) return DYN;
  if (json.$ref) {
    if (json.$ref === '#') return fromJson(root, root, depth + 1);
    const target = root.$defs?.[json.$ref.replace('#/$defs/', '')];
    return target ? fromJson(target, root, depth + 1) : DYN;
  }
  const variants = (json.anyOf ?? json.oneOf)?.filter((variant) => variant.type !== 'null');
  if (variants) {
    const types = variants.map((variant) => fromJson(variant, root, depth + 1));
    const first = types[0];
    return first && types.every((type) => type.t === first.t && type.t !== 'object') ? first : (only(types) ?? DYN);
  }
  switch (json.type) {
    case 'string':
      return STRING;
    case 'number':
    case 'integer':
      return DOUBLE;
    case 'boolean':
      return BOOL;
    case 'null':
      return { t: 'null' };
    case 'array':
      return { t: 'list', of: json.items ? fromJson(json.items, root, depth + 1) : DYN };
    case 'object': {
      if (!json.properties) {
        const values = json.additionalProperties;
        return { t: 'map', of: values && typeof values === 'object' ? fromJson(values, root, depth + 1) : DYN };
      }
      const fields: Record<string, ValueType> = {};
      for (const [name, field] of Object.entries(json.properties)) fields[name] = fromJson(field, root, depth + 1);
      // Further keys of any name are allowed beside the named ones: nothing can be said of members.
      if (json.additionalProperties && typeof json.additionalProperties === 'object') return { t: 'map', of: DYN };
      return { t: 'object', fields };
    }
    default:
      if (json.enum?.every((value) => typeof value === 'string') || typeof json.const === 'string') return STRING;
      return DYN;
  }
}

function only<T>(items: T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

/** Static type of a declared output. */
export function typeOfArtifact({ kind, application, schema }: ArtifactType): ArtifactValueType {
  const type: ArtifactValueType = { t: 'artifact', kind, ...(application ? { application } : {}) };
  if (!schema) return type;
  // Of most outputs nobody reads a value, and to say what it looks like is costly.
  return Object.defineProperty(type, 'value', {
    get: () => typeOfSchema(schema),
    enumerable: true,
    configurable: true,
  });
}
