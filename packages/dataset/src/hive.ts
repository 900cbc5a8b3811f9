import { relative, sep } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { listNames } from './columns.ts';
import { text } from './sql.ts';

/** What hive calls a missing partition value. */
export const HIVE_MISSING = '__HIVE_DEFAULT_PARTITION__';

/** Columns that the names of folders hold: `year=2024/region=north/part.parquet`. */
export interface HiveColumns {
  columns: { name: string; physical: string }[];
  /** SQL of the values of a file, in the order of the columns. */
  values(file: number): string[];
}

/**
 * The partition columns of files below a folder, with the narrowest type that keeps the text, or the one that is known.
 * @throws SCHEMA_MISMATCH
 */
export function hiveColumns(
  files: string[],
  root: string,
  known: readonly { name: string; physical: string }[] = [],
): HiveColumns | undefined {
  const each = files.map((file) =>
    relative(root, file)
      .split(sep)
      .slice(0, -1)
      .flatMap((folder) => {
        const at = folder.indexOf('=');
        return at > 0 ? [[decode(folder.slice(0, at)), decode(folder.slice(at + 1))] as const] : [];
      }),
  );
  const names = each[0]!.map(([name]) => name);
  const other = each.findIndex((pairs) => pairs.map(([name]) => name).join('/') !== names.join('/'));
  if (other > 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `Source ${files[other]!}: expected folders for ${names.length > 0 ? listNames(names) : 'no partition'} as at ${files[0]!}, found ${each[other]!.length > 0 ? listNames(each[other]!.map(([name]) => name)) : 'none'}. Name the files by a glob.`,
    );
  if (names.length === 0) return undefined;
  const columns = names.map((name, j) => ({
    name,
    physical: known.find((column) => column.name === name)?.physical ?? typeOfTexts(each.map((pairs) => pairs[j]![1])),
  }));
  return {
    columns,
    values: (file) =>
      each[file]!.map(([, value], j) =>
        value === HIVE_MISSING ? `NULL::${columns[j]!.physical}` : `${text(value)}::${columns[j]!.physical}`,
      ),
  };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Integers and dates only where the text is just what they print: `01` stays text. */
function typeOfTexts(values: string[]): string {
  const present = values.filter((value) => value !== HIVE_MISSING);
  if (present.length === 0) return 'VARCHAR';
  if (present.every((value) => /^(0|-?[1-9]\d{0,17})$/.test(value))) return 'BIGINT';
  if (present.every((value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)))) return 'DATE';
  return 'VARCHAR';
}
