import type { ArtifactKind } from '../artifact.ts';

/** Static type of an expression. */
export type ValueType =
  | { t: 'dyn' | 'null' | 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' }
  | { t: 'list'; of: ValueType }
  | { t: 'map'; of: ValueType }
  | ObjectType
  | ArtifactValueType;

export interface ObjectType {
  t: 'object';
  fields: Record<string, ValueType>;
  /** For messages: `The pipeline` has no `stage` named so. */
  owner?: string;
  noun?: string;
  /** Names that people try here, with what to say. */
  hints?: Record<string, string>;
}

export interface ArtifactValueType {
  t: 'artifact';
  kind: ArtifactKind;
  application?: string;
  /** Metrics: what their value looks like. */
  value?: ValueType;
}

export const DYN: ValueType = { t: 'dyn' };
export const BOOL: ValueType = { t: 'bool' };
export const INT: ValueType = { t: 'int' };
export const DOUBLE: ValueType = { t: 'double' };
export const STRING: ValueType = { t: 'string' };

/** Fields of a dataset ref that expressions may read. */
const DATASET_FIELDS: Record<string, ValueType> = {
  rows: DOUBLE,
  bytes: DOUBLE,
  digest: STRING,
  missing: { t: 'list', of: STRING },
};
const REF_FIELDS: Record<string, ValueType> = { bytes: DOUBLE, digest: STRING };

/** What `.` reaches on a value of this type; undefined when members are not known statically. */
export function membersOf(type: ValueType): ObjectType | undefined {
  if (type.t === 'object') return type;
  if (type.t !== 'artifact') return undefined;
  if (type.kind === 'metrics') return type.value?.t === 'object' ? type.value : undefined;
  return {
    t: 'object',
    fields: type.kind === 'dataset' ? DATASET_FIELDS : REF_FIELDS,
    owner: `A ${type.kind}`,
    noun: 'field',
  };
}

/** Type for messages: `list of string`, `model (imputation)`. */
export function formatType(type: ValueType): string {
  switch (type.t) {
    case 'dyn':
      return 'any value';
    case 'double':
      return 'number';
    case 'int':
      return 'integer';
    case 'bool':
      return 'boolean';
    case 'list':
      return `list of ${formatType(type.of)}`;
    case 'map':
      return `map of ${formatType(type.of)}`;
    case 'artifact':
      return type.application ? `${type.kind} (${type.application})` : type.kind;
    default:
      return type.t;
  }
}

/** Whether a value of type `from` may stand where `to` is expected, as far as can be known statically. */
export function assignable(from: ValueType, to: ValueType): boolean {
  if (from.t === 'dyn' || to.t === 'dyn') return true;
  const number = (type: ValueType): boolean => type.t === 'int' || type.t === 'double';
  if (number(from) && number(to)) return true;
  if (from.t === 'list' && to.t === 'list') return assignable(from.of, to.of);
  if (from.t === 'map' && to.t === 'map') return assignable(from.of, to.of);
  if (from.t === 'object' && to.t === 'map')
    return Object.values(from.fields).every((field) => assignable(field, to.of));
  if (from.t === 'map' && to.t === 'object') return true;
  if (from.t === 'artifact' && to.t === 'artifact')
    return from.kind === to.kind && (!from.application || !to.application || from.application === to.application);
  // Metrics stand for their value.
  if (from.t === 'artifact' && from.kind === 'metrics' && from.value) return assignable(from.value, to);
  return from.t === to.t;
}
