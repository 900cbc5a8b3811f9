import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { freshName, inferColumns, pickColumns } from './columns.ts';
import { contractViolated, hasType, rowRules, wholeViolations, type Contract, type RowRule } from './contract.ts';
import { putDataset, readManifest } from './dataset-manifest.ts';
import type { Connection } from './duckdb.ts';
import { queryDataset, storeCounted } from './query-dataset.ts';
import { ident, parquetScan, text } from './sql.ts';
import type { Column } from './types.ts';
import { writeParquet } from './write-parquet.ts';

/** Physical types that text is read as when the contract says the type. */
const READ_AS: Record<string, string> = {
  integer: 'BIGINT',
  float: 'DOUBLE',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
};

/**
 * Parts the rows of a file into those that keep the contract and those that break it. A text column whose contract
 * says numbers is read as numbers, and the rows where that fails are set aside; of repeated values the first stays.
 *
 * @param limit the largest share of rows that may be set aside
 * @throws CONTRACT_VIOLATED
 */
export async function quarantineRows(
  connection: Connection,
  store: ArtifactStore,
  path: string,
  contract: Contract,
  limit: number,
  label: string,
): Promise<{ kept: string; quarantined: ArtifactRef; broken: Record<string, number> }> {
  const source = parquetScan([path]);
  const columns = await inferColumns(connection, source);
  const conversions = readAsTyped(contract, columns);
  const typed = columns.map((column): Column => {
    const physical = conversions.get(column.name);
    return physical === undefined
      ? column
      : {
          ...column,
          physical,
          type: contract.types![column.name] === 'number' ? 'float' : (contract.types![column.name] as Column['type']),
        };
  });
  const [rowName, brokenName] = ['_row', '_broken'].map((name) => freshName(columns, name));
  const converted = columns.map(({ name }) =>
    conversions.has(name)
      ? `try_cast(trim(${ident(name)}) AS ${conversions.get(name)!}) AS ${ident(name)}`
      : ident(name),
  );
  const raw = columns
    .filter(({ name }) => conversions.has(name))
    .map(({ name }) => `${ident(name)} AS ${ident(rawName(name))}`);
  const numbered = `(SELECT ${[...converted, ...raw].join(', ')}, row_number() OVER () AS ${ident(rowName!)} FROM ${source})`;

  const rules: RowRule[] = [
    ...[...conversions].map(([name, physical]): RowRule => ({
      rule: `types(${name})`,
      columns: [name],
      broken: `(${ident(rawName(name))} IS NOT NULL AND trim(${ident(rawName(name))}) <> '' AND ${ident(name)} IS NULL)`,
      expected: physical,
    })),
    ...rowRules(contract, typed),
    ...(await repeatRules(connection, numbered, contract, typed, rowName!)),
  ];
  const flags = rules.map(({ rule, broken }) => `CASE WHEN ${broken} THEN ${text(rule)} END`);
  const list = rules.length === 0 ? '[]::VARCHAR[]' : `list_filter([${flags.join(', ')}], lambda r: r IS NOT NULL)`;
  const judged = `(SELECT *, ${list} AS ${ident(brokenName!)} FROM ${numbered})`;

  const [counts = {}] = await connection.rows<Record<string, string>>(
    `SELECT count(*)::VARCHAR AS total, count_if(len(${ident(brokenName!)}) > 0)::VARCHAR AS bad${rules.map(({ broken }, i) => `, count_if(${broken})::VARCHAR AS r${i}`).join('')} FROM ${judged}`,
  );
  const total = Number(counts.total);
  const bad = Number(counts.bad);
  const broken = Object.fromEntries(
    rules.map(({ rule }, i) => [rule, Number(counts[`r${i}`])]).filter(([, count]) => count !== 0),
  ) as Record<string, number>;
  if (bad > limit * total || bad === total)
    throw new HourglassError(
      'CONTRACT_VIOLATED',
      `${label}: ${bad} of ${total} rows (${percent(bad / total)}) break the contract, ${bad === total ? 'so none is left' : `more than quarantineLimit allows (${percent(limit)})`}. Rows by rule: ${Object.entries(
        broken,
      )
        .map(([rule, count]) => `${rule} ${count}`)
        .join(', ')}. Correct the source, the contract or the limit.`,
      { details: { rows: bad, total, broken } },
    );
  const whole = wholeViolations({ ...contract, types: without(contract.types, conversions) }, columns, total - bad);
  if (whole.length > 0) throw contractViolated(whole, label);

  const names = columns.map(({ name }) => ident(name)).join(', ');
  const kept = await store.tempPath('.parquet');
  await writeParquet(connection, `(SELECT ${names} FROM ${judged} WHERE len(${ident(brokenName!)}) = 0)`, kept, label);
  // What was set aside is kept as it came, before any conversion.
  const original = columns
    .map(({ name }) => (conversions.has(name) ? `${ident(rawName(name))} AS ${ident(name)}` : ident(name)))
    .join(', ');
  const aside = await storeCounted(
    connection,
    store,
    `(SELECT ${original}, ${ident(rowName!)}, array_to_string(${ident(brokenName!)}, '; ') AS ${ident(brokenName!)} FROM ${judged} WHERE len(${ident(brokenName!)}) > 0)`,
    label,
  );
  return { kept, quarantined: await putDataset(connection, store, [{ key: 'all', ...aside }]), broken };
}

/** What stands for "nothing set aside": the same columns, no rows. */
export async function emptyQuarantine(store: ArtifactStore, data: ArtifactRef): Promise<ArtifactRef> {
  const { columns } = (await readManifest(store, data)).meta;
  const [row, broken] = ['_row', '_broken'].map((name) => ident(freshName(columns, name)));
  return queryDataset(store, {
    inputs: { data },
    sql: `SELECT *, NULL::BIGINT AS ${row}, NULL::VARCHAR AS ${broken} FROM data LIMIT 0`,
  });
}

/** Text columns that the contract wants to be something else. */
function readAsTyped({ types = {} }: Contract, columns: Column[]): Map<string, string> {
  return new Map(
    columns.flatMap((column) => {
      const expected = types[column.name];
      const physical = expected === undefined ? undefined : READ_AS[expected];
      return column.type === 'string' && physical !== undefined && !hasType(column, expected!)
        ? [[column.name, physical] as const]
        : [];
    }),
  );
}

/** Second and later rows of a value that must not repeat. */
async function repeatRules(
  connection: Connection,
  numbered: string,
  { unique = [] }: Contract,
  columns: Column[],
  row: string,
): Promise<RowRule[]> {
  const rules: RowRule[] = [];
  for (const [i, entry] of unique.entries()) {
    const names = typeof entry === 'string' ? [entry] : entry;
    pickColumns(columns, names, 'Contract unique');
    const list = names.map(ident).join(', ');
    const present = names.map((name) => `${ident(name)} IS NOT NULL`).join(' AND ');
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE repeated_${i} AS SELECT n FROM (SELECT ${ident(row)} AS n, row_number() OVER (PARTITION BY ${list} ORDER BY ${ident(row)}) AS k FROM ${numbered} WHERE ${present}) WHERE k > 1`,
    );
    rules.push({
      rule: `unique(${names.join(', ')})`,
      columns: names,
      broken: `(${ident(row)} IN (SELECT n FROM repeated_${i}))`,
      expected: 'values that never repeat',
    });
  }
  return rules;
}

const rawName = (name: string): string => `${name} as it came`;
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 2 : 1).replace(/\.?0+$/, '')} %`;

function without(types: Contract['types'], conversions: Map<string, string>): Contract['types'] {
  return types && Object.fromEntries(Object.entries(types).filter(([name]) => !conversions.has(name)));
}
