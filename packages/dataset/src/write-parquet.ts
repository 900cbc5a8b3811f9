import { rm } from 'node:fs/promises';
import type { ArtifactStore, BlobRef } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { describe, unstorable } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { failure } from './duckdb-error.ts';
import { ident, text } from './sql.ts';

/** Rows of a row group: fixed, since it decides the bytes. */
export const ROW_GROUP = 122_880;

/** Writes a relation with fixed settings on one thread: the same rows give the same bytes. */
export async function writeParquet(
  connection: Connection,
  relation: string,
  path: string,
  where: string,
  rowGroup = ROW_GROUP,
): Promise<void> {
  const columns = await storable(connection, relation, where);
  await connection
    .run(
      `COPY (SELECT ${columns} FROM ${relation}) TO ${text(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroup}, PARQUET_VERSION v1)`,
    )
    .catch((error: unknown) => {
      throw failure((error as Error).cause ?? error, 'SOURCE_INVALID', where);
    });
}

/** The columns of a relation as Parquet holds them exactly. @throws COLUMN_INVALID, SOURCE_INVALID naming the others */
async function storable(connection: Connection, relation: string, where: string): Promise<string> {
  const columns = await describe(connection, relation);
  const bad = columns.flatMap(({ name, physical }) => {
    const problem = unstorable(physical);
    return problem === undefined ? [] : [`"${name}" (${physical}: ${problem})`];
  });
  if (bad.length > 0)
    throw new HourglassError('COLUMN_INVALID', `${where}: column ${bad.join(', ')}. Convert or exclude the column.`);
  refuseCaseTwins(
    columns.map((column) => column.name),
    where,
  );
  // 128-bit integers have no Parquet type; DuckDB would round them to doubles.
  return columns
    .map(({ name, physical }) =>
      /^U?HUGEINT$/.test(physical) ? `${ident(name)}::DECIMAL(38,0) AS ${ident(name)}` : ident(name),
    )
    .join(', ');
}

/** @throws COLUMN_INVALID where two names are equal but for upper and lower case: they could not be told apart */
export function refuseCaseTwins(names: readonly string[], where: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined)
      throw new HourglassError(
        'COLUMN_INVALID',
        twin === name
          ? `${where}: two columns are called "${name}". Rename one of them.`
          : `${where}: the columns "${twin}" and "${name}" differ only in upper and lower case and cannot be told apart. Rename or exclude one of them.`,
        { details: { columns: [twin, name] } },
      );
    seen.set(name.toLowerCase(), name);
  }
}

/** Writes a relation into the store. */
export async function storeParquet(
  connection: Connection,
  store: ArtifactStore,
  relation: string,
  where: string,
  rowGroup = ROW_GROUP,
): Promise<BlobRef> {
  const path = await store.tempPath('.parquet');
  try {
    await writeParquet(connection, relation, path, where, rowGroup);
    return await store.putFile(path);
  } finally {
    await rm(path, { force: true });
  }
}
