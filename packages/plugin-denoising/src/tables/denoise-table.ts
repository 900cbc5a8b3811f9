import { checkSchema } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { eachPart, openDataset, writeDataset, type DatasetReader, type Table } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { inPlace } from './number-columns.ts';
import { tablesBesideNeighbours } from './neighbour-rows.ts';
import { openTableDenoiser, type TableDenoiser } from './open-table-denoiser.ts';

/** Every learned column cleaned, as doubles; rows, their order and all other columns stay. @throws SCHEMA_MISMATCH */
export async function denoiseTable(context: StageContext, data: ArtifactRef, model: ArtifactRef): Promise<ArtifactRef> {
  const denoiser = await openTableDenoiser(context, model);
  try {
    const reader = await openDataset(context.artifacts, data);
    requireColumns(denoiser, reader);
    const names = denoiser.columns.map(({ name }) => name);
    const made = await writeDataset(context.artifacts, {
      columns: names.map((name) => ({ name, physical: 'DOUBLE' })),
      parts: eachPart(reader, ({ key }, firstRow) => cleanTables(context, reader, denoiser, key, firstRow)),
    });
    return await inPlace(context, reader, made, new Set(names));
  } finally {
    denoiser.dispose();
  }
}

/** The columns a model cleans must be there; others pass through. @throws SCHEMA_MISMATCH */
export function requireColumns({ model, columns }: TableDenoiser, reader: Pick<DatasetReader, 'columns'>): void {
  checkSchema({ ...model.encoder, columns }, reader.columns);
}

async function* cleanTables(
  context: StageContext,
  reader: DatasetReader,
  denoiser: TableDenoiser,
  part: string,
  firstRow: number,
): AsyncGenerator<Table> {
  const names = denoiser.columns.map(({ name }) => name);
  let done = firstRow;
  for await (const beside of tablesBesideNeighbours(reader, part, names, denoiser.reach)) {
    context.signal.throwIfAborted();
    yield await denoiser.clean(beside, done);
    done += beside.rows;
    context.progress(done / Math.max(1, reader.rows), `cleaned ${done} of ${reader.rows} rows`);
  }
}
