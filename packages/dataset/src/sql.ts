/** A name as SQL writes it: `"a ""b"""`. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL writes it. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A path DuckDB opens as it stands: wildcards in it are taken literally. */
export const pathText = (path: string): string => text(path.replace(/[*?[]/g, '[$&]'));

/** A scan of Parquet files in the given order. What the names of their folders say is not for the database to guess. */
export const parquetScan = (paths: string[]): string =>
  `read_parquet([${paths.map(pathText).join(', ')}], hive_partitioning = false)`;

/** A JSON value as a literal. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `'${value}'::DOUBLE`;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return text(String(value));
}
