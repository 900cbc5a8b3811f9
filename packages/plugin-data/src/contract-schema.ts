import { z } from 'zod';

const bound = z.union([z.number(), z.string()]);
/** Logical types of columns, and `number` for two of them. */
const LOGICAL = 'number float integer bigint decimal boolean string date timestamp time vector other'.split(' ');
/** Physical types as the database writes them. */
const PHYSICAL = new RegExp(
  `^(${[
    'U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\\(\\d+,\\d+\\)|BOOLEAN|VARCHAR|BLOB|UUID|DATE|INTERVAL',
    'TIME( WITH TIME ZONE)?|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|(ENUM|STRUCT|MAP)\\(.*\\)',
  ].join('|')})(\\[\\d*\\])*$`,
  'i',
);
const typeName = z
  .string()
  .refine(
    (name) => LOGICAL.includes(name) || PHYSICAL.test(name),
    `expected one of ${LOGICAL.join(', ')}, or a physical type such as DECIMAL(10,2)`,
  );
const isPast = (min: unknown, max: unknown): boolean =>
  typeof min === 'number' && typeof max === 'number' ? min > max : isDay(min) && isDay(max) && min > max;
const isDay = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value);
const columnList = z.array(z.string().min(1)).min(1);

/** What a dataset must keep to; rules about cells pass over missing ones, except `notNull`. */
export const contractSchema = z.strictObject({
  minRows: z.int().min(0).optional().describe('Fewest rows'),
  maxRows: z.int().min(0).optional().describe('Most rows'),
  types: z
    .record(z.string(), typeName)
    .optional()
    .describe(
      'Type of columns: float, integer, number (either), boolean, string, date, timestamp, time, …, or a physical one such as DECIMAL(10,2)',
    ),
  ranges: z
    .record(
      z.string(),
      z
        .strictObject({ min: bound.optional(), max: bound.optional() })
        .refine(({ min, max }) => min !== undefined || max !== undefined, 'expected min, max or both')
        .refine(({ min, max }) => !isPast(min, max), 'expected min to be at most max: no value is in between'),
    )
    .optional()
    .describe('Lowest and highest value of columns, both allowed; points in time as text'),
  values: z
    .record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()])).min(1))
    .optional()
    .describe('The only values columns may hold'),
  notNull: columnList.optional().describe('Columns without missing cells (NaN is missing)'),
  unique: z
    .array(z.union([z.string().min(1), columnList]))
    .min(1)
    .optional()
    .describe('Columns, or lists of columns together, whose values never repeat'),
  finite: columnList.optional().describe('Columns without ±Infinity'),
});
