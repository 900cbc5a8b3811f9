import type { Column, ColumnProfile } from '@hourglass/dataset';

/** What a proposal does with a column, and why. */
export interface JudgedColumn extends Column {
  profile: ColumnProfile;
  /** Nothing is learned from it. */
  excluded?: string;
  /** A number whose values are names rather than amounts. */
  categorical?: boolean;
}

const ID_NAME = /(^|_|\b|[a-z])(id|uuid|guid|key|index|idx|nr|rowid|row_number|row_nr)$/i;
const LABEL_NAME =
  /^(label|target|class|y|outcome|diagnosis|churn|species|is_spam|spam|type_label|default|defaulted|response|approved?|fraud|is_fraud|survived)$/i;
const LEARNABLE = new Set(['float', 'integer', 'time', 'boolean', 'string', 'date', 'timestamp']);

/** Looks at names and profiles; every exclusion has a reason a person can check. */
export function judgeColumns(
  columns: readonly Column[],
  profiles: Record<string, ColumnProfile>,
  rows: number,
): JudgedColumn[] {
  return columns.map((column, position) => {
    const profile = profiles[column.name]!;
    const excluded = reasonToExclude(column, profile, rows, position, columns.length);
    const categorical =
      !excluded && column.type === 'integer' && isCodes(column.name, profile, rows) ? { categorical: true } : {};
    return { ...column, profile, ...(excluded ? { excluded } : {}), ...categorical };
  });
}

function reasonToExclude(
  { name, type, physical }: Column,
  profile: ColumnProfile,
  rows: number,
  position: number,
  width: number,
): string | undefined {
  const { missing, distinct, min, max } = profile;
  const present = rows - missing;
  if (present === 0) return 'no value at all';
  if (!LEARNABLE.has(type)) return `type ${physical} is not learned`;
  if (profile.infinite) return `${profile.infinite} infinite cells; turn them into missing ones to learn from it`;
  if (distinct === 1) return 'the same value in every row';
  if (distinct === undefined) return undefined;
  const allDifferent = present > 20 && (profile.distinctEstimated ? distinct > present * 0.95 : distinct === present);
  const counts = type === 'integer' && typeof min === 'number' && typeof max === 'number' && max - min + 1 === present;
  if (allDifferent && type === 'string') return 'every value is different: an id or free text';
  if (allDifferent && (counts || ID_NAME.test(name)) && type !== 'float') return 'every value is different: an id';
  if (ID_NAME.test(name) && type === 'string' && distinct > 50) return 'called like an id';
  // The learner refuses text; the same rule, said before.
  if (type === 'string' && isText(distinct, present)) return `${distinct} different values: free text`;
  if (LABEL_NAME.test(name) && (distinct <= 50 || type === 'boolean'))
    return 'a label, by its name: nothing should be learned from it';
  if (position === width - 1 && type === 'string' && distinct === 2 && /^(is_|has_)?(label|target|class)/i.test(name))
    return 'a label, by its name: nothing should be learned from it';
  return undefined;
}

const isText = (distinct: number, present: number): boolean => distinct > 50 && distinct > present * 0.5;

/** `postcode`, `region_code`: integers with a name that says so. */
function isCodes(name: string, { distinct }: ColumnProfile, rows: number): boolean {
  return (
    /(^|_)(code|category|zip|postcode|type)$/i.test(name) &&
    distinct !== undefined &&
    distinct < Math.min(256, rows / 4)
  );
}
