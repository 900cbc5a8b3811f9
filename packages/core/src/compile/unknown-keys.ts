import { z } from 'zod';
import { isFields } from './reporter.ts';

export interface UnknownKey {
  /** Where in the value, the key last. */
  path: (string | number)[];
  /** Keys known there. */
  names: string[];
}

/**
 * Keys within a value that its schema does not have: zod lets those of nested objects pass in silence; a person who
 * mistyped one wants to know.
 */
export function unknownKeys(schema: z.ZodType, value: unknown): UnknownKey[] {
  // A JSON Schema is costly to make: only of options that hold something.
  return typeof value === 'object' && value !== null ? within(jsonShape(schema), value, []) : [];
}

interface JsonShape {
  type?: string;
  properties?: Record<string, JsonShape>;
  additionalProperties?: boolean | JsonShape;
  items?: JsonShape;
  anyOf?: JsonShape[];
}

const shapes = new WeakMap<z.ZodType, JsonShape>();

function jsonShape(schema: z.ZodType): JsonShape {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonShape;
    shapes.set(schema, shape);
  }
  return shape;
}

function within(schema: JsonShape, value: unknown, path: UnknownKey['path']): UnknownKey[] {
  const { items } = schema;
  if (Array.isArray(value)) return items ? value.flatMap((item, i) => within(items, item, [...path, i])) : [];
  if (!isFields(value)) return [];
  const objects = schema.anyOf?.filter((variant) => variant.type === 'object') ?? [];
  const { properties, additionalProperties: others } = objects.length === 1 ? objects[0]! : schema;
  return Object.entries(value).flatMap(([key, item]) => {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
    const field = known ?? (properties || typeof others !== 'object' ? undefined : others);
    if (field) return within(field, item, [...path, key]);
    return !properties || others ? [] : [{ path: [...path, key], names: Object.keys(properties) }];
  });
}
