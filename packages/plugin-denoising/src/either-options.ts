import { HourglassError } from '@hourglass/core';
import { z } from 'zod';

type Shape = Readonly<Record<string, z.ZodType>>;
type Inner<S> = S extends z.ZodDefault<infer T> ? T : S extends z.ZodOptional<infer T> ? T : S;

/** What a stage takes: pictures, or the numbers of a table. */
export type DataKind = 'pictures' | 'table';

/** Options of a stage that takes either: none has a default before the data are seen. */
type EitherShape<P extends Shape, T extends Shape> = {
  [K in keyof P | keyof T]: z.ZodOptional<K extends keyof T ? Inner<T[K]> : K extends keyof P ? Inner<P[K]> : never>;
};

/**
 * One set of options for a stage that takes pictures or tables. Each says whose it is and its default; an option of both is
 * checked as that of tables first, and as its kind's own by {@link settleOptions}. Data only: importing this loads no tensors.
 */
export function optionsOfEither<P extends Shape, T extends Shape>(pictures: P, tables: T): EitherShape<P, T> {
  const names = [...new Set([...Object.keys(pictures), ...Object.keys(tables)])];
  return Object.fromEntries(
    names.map((name) => {
      const [p, t] = [pictures[name], tables[name]];
      const text =
        p && t
          ? p.description === t.description
            ? `${sentence(p)}${defaults(defaultOf(p), defaultOf(t))}`
            : `Pictures: ${sentence(p)}${one(defaultOf(p))} Tables: ${sentence(t)}${one(defaultOf(t))}`
          : `${p ? 'Pictures' : 'Tables'}: ${sentence((p ?? t)!)}${one(defaultOf((p ?? t)!))}`;
      return [
        name,
        innerOf((t ?? p)!)
          .optional()
          .describe(text),
      ];
    }),
  ) as unknown as EitherShape<P, T>;
}

/**
 * The options as their kind of data resolves them, with its defaults.
 * @throws OPTION_INVALID for an option of the other kind, or a value its own kind does not take
 */
export function settleOptions<S extends Shape>(
  stage: string,
  kind: DataKind,
  shape: S,
  options: Record<string, unknown>,
): z.output<z.ZodObject<S>> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const foreign = given.map(([name]) => name).filter((name) => !(name in shape));
  if (foreign.length > 0)
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: ${foreign.join(', ')} ${foreign.length > 1 ? 'are options' : 'is an option'} for ${kind === 'table' ? 'pictures' : 'tables'}; the data are ${kind === 'table' ? 'a table of numbers' : 'pictures'}. Leave ${foreign.length > 1 ? 'them' : 'it'} out.`,
      { details: { stage, option: foreign[0] } },
    );
  const parsed = z.object(shape).safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    (issue) =>
      `option ${issue.path.map(String).join('.')}: ${issue.message}, found ${JSON.stringify(options[String(issue.path[0])])}`,
  );
  throw new HourglassError('OPTION_INVALID', `${stage}: ${lines.join('; ')}.`, {
    details: { stage, option: String(parsed.error.issues[0]?.path[0] ?? '') },
  });
}

const sentence = (schema: z.ZodType): string => (schema.description ?? '').replace(/\.?$/, '.');
const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const one = (value: unknown): string => (value === undefined ? '' : ` Default: ${shown(value)}.`);
const defaults = (p: unknown, t: unknown): string =>
  p === undefined ? '' : shown(p) === shown(t) ? one(p) : ` Default: ${shown(p)} for pictures, ${shown(t)} for tables.`;

const innerOf = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
const defaultOf = (schema: z.ZodType): unknown =>
  schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
