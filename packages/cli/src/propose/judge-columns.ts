import type { Column, ColumnProfile } from '@hourglass/dataset';

/** Why nothing is learned from a column. */
export interface Exclusion {
  /** `label` is a guess from its name or place, the others are facts of the values. */
  kind: 'id' | 'label' | 'text' | 'unusable';
  /** For a person to check. */
  reason: string;
}

/** What a proposal does with a column, and why. */
export interface JudgedColumn extends Column {
  profile: ColumnProfile;
  excluded?: Exclusion;
  /** A number whose values are names rather than amounts. */
  categorical?: boolean;
}

const ID_NAME =
  /(^|[_\W])(id|uuid|guid|key|index|idx|nr|rowid)$|[a-z\d](Id|ID|Uuid|UUID|Key|Nr)$|^(row_?(nr|number|index)|unnamed: 0)$/;
/** What is a label wherever it stands. */
const LABEL_NAME =
  /^(is_|has_)?(label|labels|target|targets|class|classes|y|outcome|diagnosis|prognosis|churn|churned|attrition|species|spam|ham|default|defaulted|response|approved|fraud|fraudulent|survived|survival|died|converted|conversion)$/i;
/** What is a label though it has a great many values, as what a regression is for. */
const TARGET_NAME = /^(is_)?(label|target|outcome|response)$/i;
/** What is a label more often than not where it is the first or the last column. */
const LABEL_NAME_AT_THE_EDGE =
  /^(status|type|kind|category|group|grade|rating|quality|result|decision|success|income|(.*_)?(label|target|class|outcome|status))$/i;
const LEARNABLE = new Set<Column['type']>(['float', 'integer', 'time', 'boolean', 'string', 'date', 'timestamp']);
/** More values than this are not the classes of something. */
const CLASSES = 50;

/** Looks at names and profiles; every exclusion has a reason a person can check. */
export function judgeColumns(
  columns: readonly Column[],
  profiles: Record<string, ColumnProfile>,
  rows: number,
): JudgedColumn[] {
  const judged = columns.map((column): JudgedColumn => {
    const profile = profiles[column.name]!;
    const excluded = unlearnable(column, profile, rows);
    return { ...column, profile, ...(excluded ? { excluded } : {}) };
  });
  // An id in front does not make the column after it less of a first one.
  const candidates = judged.filter(({ excluded }) => !excluded);
  for (const column of candidates) {
    const reason = candidates.length > 1 ? labelReason(column, candidates) : undefined;
    if (reason) column.excluded = { kind: 'label', reason };
    else if (column.type === 'integer' && isCodes(column.name, column.profile, rows)) column.categorical = true;
  }
  return judged;
}

/** What nothing can be learned from, whatever it is. */
function unlearnable(
  { name, type, physical }: Column,
  { missing, distinct, distinctEstimated, min, max, infinite }: ColumnProfile,
  rows: number,
): Exclusion | undefined {
  const unusable = (reason: string): Exclusion => ({ kind: 'unusable', reason });
  const present = rows - missing;
  if (present === 0) return unusable('no value at all');
  if (!LEARNABLE.has(type)) return unusable(`type ${physical} is not learned`);
  if (infinite) return unusable(`${infinite} infinite cells; turn them into missing ones to learn from it`);
  if (distinct === 1) return unusable('the same value in every row');
  if (distinct === undefined) return undefined;
  const allDifferent = present > 20 && (distinctEstimated ? distinct > present * 0.95 : distinct === present);
  const counts = type === 'integer' && typeof min === 'number' && typeof max === 'number' && max - min + 1 === present;
  if (allDifferent && type === 'string') return { kind: 'id', reason: 'every value is different: an id or free text' };
  if (allDifferent && (counts || ID_NAME.test(name)) && type !== 'float')
    return { kind: 'id', reason: 'every value is different: an id' };
  if (ID_NAME.test(name) && type === 'string' && distinct > CLASSES) return { kind: 'id', reason: 'called like an id' };
  // The learner refuses text; the same rule, said before.
  if (type === 'string' && distinct > 50 && distinct > present * 0.5)
    return { kind: 'text', reason: `${distinct} different values: free text` };
  return undefined;
}

/** A guess: by its name, or by being the one column of few values at the edge of a table of numbers. */
function labelReason(column: JudgedColumn, all: readonly JudgedColumn[]): string | undefined {
  const few = ({ type, profile: { distinct } }: JudgedColumn): boolean =>
    type === 'boolean' || (distinct !== undefined && distinct <= CLASSES);
  const isNumber = ({ type }: JudgedColumn): boolean => type === 'float' || type === 'integer';
  if (!few(column)) return TARGET_NAME.test(column.name) ? 'a label, by its name' : undefined;
  const values = `${column.profile.distinct ?? 2} values`;
  if (LABEL_NAME.test(column.name)) return `a label, by its name (${values})`;
  const edge = column === all[0] ? 'first' : column === all.at(-1) ? 'last' : undefined;
  if (!edge) return undefined;
  if (LABEL_NAME_AT_THE_EDGE.test(column.name)) return `a label, by its name and as the ${edge} column (${values})`;
  const others = all.filter((other) => other !== column);
  if (others.length < 3 || !others.every(isNumber)) return undefined;
  if (!isNumber(column)) return `a label, as the ${edge} column and the only one that is no number (${values})`;
  return others.every((other) => !few(other))
    ? `a label, as the ${edge} column and the only one of few values (${values})`
    : undefined;
}

/** `postcode`, `region_code`: integers with a name that says so. */
function isCodes(name: string, { distinct }: ColumnProfile, rows: number): boolean {
  return (
    /(^|_)(code|category|zip|postcode|type)$/i.test(name) &&
    distinct !== undefined &&
    distinct < Math.min(256, rows / 4)
  );
}
