import type { ParquetReader as Reader } from '@dsnp/parquetjs';
import type { ColumnChunkExt, ParquetField, ParquetRecord } from '@dsnp/parquetjs/dist/lib/declare.js';
import { HourglassError } from '@hourglass/core';
import type { Connection } from '../duckdb.ts';
import { openStaging } from '../staging.ts';
import { refuseCaseTwins } from '../write-parquet.ts';
import { ParquetReader, ParquetShredder } from './library.ts';
import {
  cell,
  PRIMITIVES,
  readField,
  schemaTree,
  type ReadField,
  type SchemaElement,
  type SchemaNode,
} from './read-field.ts';

interface ReadColumn extends ReadField {
  node: SchemaNode;
}

/**
 * Copies a Parquet file into temporary ones, read in pure JavaScript, a row group at a time. The library's own
 * conversions round decimals and drop microseconds, so it hands out raw integers and bytes only.
 *
 * @throws COLUMN_INVALID for types that could not be kept exactly
 */
export async function stageParquetjs(
  connection: Connection,
  file: string,
  tempPath: () => Promise<string>,
): Promise<{ relation: string; files: string[]; columns: { name: string; physical: string }[] }> {
  const reader = await ParquetReader.openFile(file, { rawStatistics: true } as never);
  try {
    const nodes = schemaTree(reader.metadata!.schema as unknown as SchemaElement[]);
    refuseCaseTwins(
      nodes.map(({ name }) => name),
      `Source ${file}`,
    );
    const columns = nodes.map((node): ReadColumn => {
      const field = readField(node);
      if (field !== undefined) return { node, ...field };
      throw new HourglassError(
        'COLUMN_INVALID',
        `Column "${node.name}": codec parquetjs cannot keep its type exactly (${PRIMITIVES[node.type ?? -1] ?? 'nested'}). Leave \`codec\` out.`,
        { details: { column: node.name } },
      );
    });
    nodes.forEach((node) => takeRaw(reader.schema.fields[node.name]!, node));
    const named = columns.map(({ node: { name }, physical }) => ({ name, physical }));
    const staging = await openStaging(connection, 'parquetjs_stage', named, tempPath, true);
    for (const group of reader.metadata!.row_groups) {
      const rows = Number(group.num_rows);
      // Some writers leave an empty group without pages.
      if (rows === 0) continue;
      const values: unknown[][] = [];
      for (const { node } of columns) {
        const chunks = group.columns.filter((chunk) => chunk.meta_data!.path_in_schema[0] === node.name);
        values.push(await columnValues(reader, node, chunks, rows));
      }
      await staging.append(rows, (chunk, from, n) => {
        columns.forEach((column, j) => {
          const vector = chunk.getColumnVector(j);
          for (let i = 0; i < n; i++) vector.setItem(i, cell(values[j]![from + i], column) as never);
        });
      });
    }
    const { relation, files } = await staging.finish();
    return { relation, files, columns: named };
  } finally {
    await reader.close();
  }
}

/** Physical types instead of logical ones. */
function takeRaw(field: ParquetField, node: SchemaNode): void {
  field.originalType = undefined;
  if (node.children.length === 0) field.primitiveType = PRIMITIVES[node.type!];
  // The library takes the width of run-length encoded booleans from here, and reads all as false when it is not there.
  if (field.primitiveType === 'BOOLEAN') field.typeLength = 1;
  for (const child of node.children) takeRaw(field.fields![child.name]!, child);
}

/** One value a row: raw, or an object as the library nests it; missing ones undefined or null. */
async function columnValues(
  reader: Reader,
  node: SchemaNode,
  chunks: ColumnChunkExt[],
  rows: number,
): Promise<unknown[]> {
  const { schema } = reader;
  const envelope = reader.envelopeReader!;
  const columnData: Record<string, Awaited<ReturnType<typeof envelope.readColumnChunk>>> = {};
  for (const chunk of chunks) {
    const { dictionary_page_offset: dictionary, data_page_offset: data, path_in_schema: path } = chunk.meta_data!;
    // The library reads ten megabytes for a dictionary, however small or large it is.
    if (dictionary && Number(dictionary) > 0) envelope.default_dictionary_size = Number(data) - Number(dictionary);
    columnData[path.join(',')] = await envelope.readColumnChunk(schema, chunk);
  }
  if (node.children.length > 0) {
    const records: ParquetRecord[] = ParquetShredder.materializeRecords(schema, {
      rowCount: rows,
      columnData,
    } as never);
    return records.map((record) => record[node.name]);
  }
  const { values = [], dlevels = [] } = columnData[node.name]!;
  const present = schema.fields[node.name]!.dLevelMax;
  let at = 0;
  return dlevels.map((level) => (level === present ? values[at++] : undefined));
}
