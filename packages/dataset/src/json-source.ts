import { HourglassError } from '@hourglass/core';
import { describe } from './columns.ts';
import type { Connection } from './duckdb.ts';
import type { SourceColumn } from './source-relation.ts';
import { ident, pathText, text } from './sql.ts';
import { refuseCaseTwins } from './write-parquet.ts';

/**
 * A file of JSON objects, one a line. Types are those that fit all lines; numbers beyond double stay exact, values that
 * are now this, now that stay JSON.
 */
export async function jsonLines(
  connection: Connection,
  file: string,
): Promise<{ relation: string; columns: SourceColumn[] }> {
  const keys = await connection.rows<{ key: string }>(
    `SELECT DISTINCT unnest(json_keys(json)) AS key FROM read_ndjson_objects(${pathText(file)})`,
  );
  refuseCaseTwins(keys.map(({ key }) => key).sort(), `Source ${file}`);
  if (keys.length === 0)
    throw new HourglassError(
      'SOURCE_EMPTY',
      `Source ${file}: expected JSON objects, one a line, found none with a key.`,
    );
  const described = await describe(
    connection,
    `read_json(${pathText(file)}, format = 'newline_delimited', sample_size = -1, maximum_object_size = 67108864, hive_partitioning = false)`,
  );
  const doubtful = described.filter(({ physical }) => physical === 'DOUBLE' || physical === 'TIMESTAMP');
  const types = new Map<string, string>();
  if (doubtful.length > 0) {
    const checks = doubtful.map(({ name, physical }, i) => {
      const value = `(json ->> ${text(`$.${JSON.stringify(name)}`)})`;
      return physical === 'DOUBLE'
        ? `bool_and(regexp_full_match(${value}, '-?[0-9]+')) AS a${i}, bool_and(try_cast(${value} AS DECIMAL(38,0)) IS NOT NULL OR ${value} IS NULL) AS b${i}`
        : `bool_and(${ZONED.replace('?', value)}) AS a${i}, bool_or(${ZONED.replace('?', value)}) AS b${i}`;
    });
    const [found = {}] = await connection.rows<Record<string, boolean | null>>(
      `SELECT ${checks.join(', ')} FROM read_ndjson_objects(${pathText(file)})`,
    );
    doubtful.forEach(({ name, physical }, i) => {
      const [a, b] = [found[`a${i}`] === true, found[`b${i}`] === true];
      if (physical === 'DOUBLE' && a) types.set(name, b ? 'DECIMAL(38,0)' : 'VARCHAR');
      // With a zone everywhere it is an instant; with one here and there only the text says what is meant.
      if (physical === 'TIMESTAMP' && b) types.set(name, a ? 'TIMESTAMP WITH TIME ZONE' : 'VARCHAR');
    });
  }
  const columns = described.map(({ name, physical }) => ({ name, sql: name, physical: types.get(name) ?? physical }));
  const spec = columns.map(({ name, physical }) => `${ident(name)}: ${text(physical)}`).join(', ');
  return {
    relation: `read_json(${pathText(file)}, format = 'newline_delimited', maximum_object_size = 67108864, hive_partitioning = false, columns = {${spec}})`,
    columns,
  };
}

/** A point in time that says its zone. */
const ZONED = `regexp_matches(?, '(Z|[+-][0-9]{2}:?[0-9]{2})$')`;
