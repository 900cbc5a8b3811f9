import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { writeDataset, type Table } from '@hourglass/dataset';

/** Stores a table as a dataset of one part: numbers as DOUBLE, categories as VARCHAR. */
export async function storeTable(artifacts: ArtifactStore, table: Table): Promise<ArtifactRef> {
  const columns = Object.entries(table.columns).map(([name, data]) => ({
    name,
    physical: data.kind === 'numeric' ? 'DOUBLE' : 'VARCHAR',
  }));
  return writeDataset(artifacts, { columns, parts: [{ key: 'all', tables: [table] }] });
}
