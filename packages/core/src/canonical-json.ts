import { HourglassError } from './error.ts';

/**
 * JSON with sorted keys and no spaces: equal values give equal text, so that digests can be taken of it.
 * Keys whose value is `undefined` are left out.
 *
 * @throws INTERNAL for what JSON cannot hold without loss (NaN, ±Infinity, bigint, functions, class instances)
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$');
}

function write(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(path, String(value));
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item, i) => write(item, `${path}[${i}]`)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const record = value as Record<string, unknown>;
    const fields = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${write(record[key], `${path}.${key}`)}`);
    return `{${fields.join(',')}}`;
  }
  throw refuse(path, typeof value === 'object' ? value.constructor.name : typeof value);
}

function isPlain(value: object): boolean {
  // By depth, not by identity: inside a workflow sandbox Object.prototype is another object.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refuse(path: string, found: string): HourglassError {
  return new HourglassError(
    'INTERNAL',
    `${path} cannot be written as canonical JSON: expected finite numbers, strings, booleans, null, arrays and plain objects, found ${found}.`,
  );
}
