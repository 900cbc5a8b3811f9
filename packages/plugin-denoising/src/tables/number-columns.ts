import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { ident, chooseColumns, queryDataset, type Column, type DatasetReader, type Table } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { isNumber } from '../data-kind.ts';

/**
 * The columns of numbers that a stage is to work on, in the table's order.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID where one that is named holds no numbers, or none is left
 */
export function numberColumns(
  reader: Pick<DatasetReader, 'columns'>,
  { columns, exclude }: { columns?: string[]; exclude?: string[] },
  where: string,
): Column[] {
  const chosen = chooseColumns(reader.columns, { columns, exclude }, where);
  const bad = columns === undefined ? [] : chosen.filter((column) => !isNumber(column));
  const numbers = chosen.filter(isNumber);
  if (bad.length > 0 || numbers.length === 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      bad.length > 0
        ? `${where}: expected columns of numbers, found ${bad.map(({ name, physical }) => `"${name}" (${physical})`).join(', ')}. Leave them out of \`columns\`.`
        : `${where}: no column of numbers is left after \`exclude\`.`,
    );
  const names = new Set(numbers.map(({ name }) => name));
  return reader.columns.filter(({ name }) => names.has(name));
}

/** A column of numbers. */
export function valuesOf(table: Table, name: string): Float64Array {
  const data = table.columns[name];
  if (data?.kind !== 'numeric') throw new Error(`${name} is no column of numbers`);
  return data.values;
}

/** A table with some columns taken from another table of the same rows. */
export const inPlace = (
  { artifacts }: Pick<StageContext, 'artifacts'>,
  reader: DatasetReader,
  made: ArtifactRef,
  names: ReadonlySet<string>,
): Promise<ArtifactRef> =>
  queryDataset(artifacts, {
    inputs: { data: reader.ref, made },
    perPart: true,
    sql: `SELECT ${reader.columns
      .map(({ name }) => `${names.has(name) ? 'made' : 'data'}.${ident(name)} AS ${ident(name)}`)
      .join(', ')} FROM data POSITIONAL JOIN made`,
  });
