import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { freshName, listNames, pickColumns } from './columns.ts';
import { putDataset, readManifest } from './dataset-manifest.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { joinKeys, keysEqual, requireUniqueKeys, type JoinKeys, type JoinOn, type Relationship } from './join-keys.ts';
import { storeCounted } from './query-dataset.ts';
import { ident, parquetScan } from './sql.ts';
import type { Column } from './types.ts';

export interface JoinOptions {
  /** Key columns, or those of either side in pairs. */
  on: JoinOn;
  /** inner: rows that found a match. left: all rows of the left, the right's columns missing where none was found. */
  how: 'inner' | 'left';
  /** Which side may repeat a key. @default 'many-to-one' */
  relationship?: Relationship;
  /** Columns of the right to add. @default all but its keys */
  columns?: string[];
  /** Put behind the name of a right column that the left has as well. @default none: such a column is refused */
  suffix?: string;
  /** Smallest share of left rows that must find a match; none at all is refused unless it is 0 and said so. */
  minMatched?: number;
}

export interface Joined {
  data: ArtifactRef;
  rows: number;
  leftRows: number;
  rightRows: number;
  /** Left rows that found a match. */
  matched: number;
  matchedShare: number;
  /** Right rows that no left row matches. */
  unusedRight: number;
}

/**
 * Adds columns of one dataset to the rows of another that have the same keys. Rows stay in the order of the left, of equal
 * keys in the order of the right; the parts are those of the left. A missing key matches nothing.
 *
 * @throws COLUMN_NOT_FOUND, SCHEMA_MISMATCH, CONTRACT_VIOLATED (a key twice), COLUMN_INVALID (names twice),
 * DATA_INSUFFICIENT (too few matches)
 */
export async function joinDatasets(
  store: ArtifactStore,
  left: ArtifactRef,
  right: ArtifactRef,
  options: JoinOptions,
): Promise<Joined> {
  const [l, r] = [await readManifest(store, left), await readManifest(store, right)];
  const keys = joinKeys(l.meta.columns, r.meta.columns, options.on);
  const added = addedColumns(l.meta.columns, r.meta.columns, keys, options);
  const paths = (of: typeof l): string[] => of.parts.map(({ path }) => path);
  return withConnection(async (connection) => {
    const see = (name: 'l' | 'r', of: string[]): Promise<void> =>
      connection.run(`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM ${parquetScan(of)}`);
    await see('l', paths(l));
    await see('r', paths(r));
    await requireUniqueKeys(connection, keys, options.relationship ?? 'many-to-one');
    const counted = await countMatches(connection, keys);
    if (!isEnough(counted, options.minMatched))
      throw tooFew(counted, options.minMatched, await someKeys(connection, keys));
    const parts: (ArtifactPart & { rows: number })[] = [];
    for (const part of l.parts) {
      await see('l', [part.path]);
      parts.push({
        key: part.key,
        ...(await storeCounted(
          connection,
          store,
          joined(l.meta.columns, r.meta.columns, keys, added, options),
          'Join',
        )),
      });
    }
    const { partitionBy } = l.meta;
    const data = await putDataset(connection, store, parts, partitionBy ? { partitionBy } : {});
    return { data, rows: data.rows ?? 0, ...counted };
  });
}

/** Columns of the right with the names they get. */
function addedColumns(
  left: Column[],
  right: Column[],
  keys: JoinKeys,
  { columns, suffix }: JoinOptions,
): { name: string; as: string }[] {
  const isKey = ({ name }: Column): boolean => keys.right.some((key) => key.name === name);
  pickColumns(right, columns ?? [], 'Join, right dataset');
  const chosen = right.filter((column) => !isKey(column) && (columns?.includes(column.name) ?? true));
  const taken = new Set(left.map(({ name }) => name.toLowerCase()));
  const added = chosen.map(({ name }) => ({
    name,
    as: taken.has(name.toLowerCase()) ? `${name}${suffix ?? ''}` : name,
  }));
  const twice = added.filter(({ as }, i) => {
    const same = (other: string): boolean => other.toLowerCase() === as.toLowerCase();
    return taken.has(as.toLowerCase()) || added.findIndex((each) => same(each.as)) !== i;
  });
  if (twice.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Join: both datasets have ${listNames(twice.map(({ name }) => name))}. Name the columns to add (\`columns\`), or give a \`suffix\` such as "_right"${suffix === undefined ? '' : ` other than "${suffix}"`}.`,
      { details: { columns: twice.map(({ name }) => name) } },
    );
  return added;
}

function joined(
  left: Column[],
  right: Column[],
  keys: JoinKeys,
  added: { name: string; as: string }[],
  { how }: JoinOptions,
): string {
  const place = freshName([...left, ...right, ...added.map(({ as }) => ({ name: as }))], 'place');
  const select = [
    ...left.map(({ name }) => `l.${ident(name)}`),
    ...added.map(({ name, as }) => `r.${ident(name)} AS ${ident(as)}`),
  ];
  const numbered = (table: string): string => `(SELECT *, row_number() OVER () AS ${ident(place)} FROM ${table})`;
  return (
    `(SELECT ${select.join(', ')} FROM ${numbered('l')} l ${how === 'left' ? 'LEFT' : 'INNER'} JOIN ${numbered('r')} r ` +
    `ON ${keysEqual(keys)} ORDER BY l.${ident(place)}, r.${ident(place)})`
  );
}

type Counted = Omit<Joined, 'data' | 'rows'>;

async function countMatches(connection: Connection, keys: JoinKeys): Promise<Counted> {
  const [found] = await connection.rows<Record<'l' | 'r' | 'm' | 'u', string>>(
    `SELECT (SELECT count(*) FROM l)::VARCHAR AS l, (SELECT count(*) FROM r)::VARCHAR AS r,
       (SELECT count(*) FROM l SEMI JOIN r ON ${keysEqual(keys)})::VARCHAR AS m,
       (SELECT count(*) FROM r SEMI JOIN l ON ${keysEqual(keys)})::VARCHAR AS u`,
  );
  const [leftRows, rightRows, matched] = [Number(found!.l), Number(found!.r), Number(found!.m)];
  return {
    leftRows,
    rightRows,
    matched,
    matchedShare: leftRows === 0 ? 0 : matched / leftRows,
    unusedRight: rightRows - Number(found!.u),
  };
}

/** A few keys of either side, for messages. */
async function someKeys(connection: Connection, { left, right }: JoinKeys): Promise<Record<'left' | 'right', string>> {
  const of = async (table: 'l' | 'r', columns: Column[]): Promise<string> =>
    (
      await connection.rows<{ key: (string | null)[] }>(
        `SELECT [${columns.map(({ name }) => `${ident(name)}::VARCHAR`).join(', ')}] AS key FROM ${table} LIMIT 3`,
      )
    )
      .map(({ key }) => key.map((value) => (value === null ? 'NULL' : JSON.stringify(value))).join(' / '))
      .join(', ');
  return { left: await of('l', left), right: await of('r', right) };
}

const isEnough = ({ matched, matchedShare }: Counted, minMatched: number | undefined): boolean =>
  minMatched === undefined ? matched > 0 : matchedShare >= minMatched;

function tooFew(
  { matched, leftRows }: Counted,
  minMatched: number | undefined,
  keys: Record<'left' | 'right', string>,
): HourglassError {
  return new HourglassError(
    'DATA_INSUFFICIENT',
    `Join: ${matched} of ${leftRows} left rows find a match, expected ${minMatched === undefined ? 'some' : `${(minMatched * 100).toFixed(minMatched < 0.1 ? 1 : 0)} % (minMatched)`}. The left's keys begin with ${keys.left}, the right's with ${keys.right}. Compare how both are written, or lower minMatched.`,
    { details: { matched, leftRows } },
  );
}
