import { checkSchema } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, writeDataset, type DatasetReader, type Table } from '@hourglass/dataset';
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
      parts: cleanParts(context, reader, denoiser, names),
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

async function* cleanParts(
  context: StageContext,
  reader: DatasetReader,
  denoiser: TableDenoiser,
  names: string[],
): AsyncGenerator<{ key: string; tables: AsyncIterable<Table> }> {
  let done = 0;
  for (const { key } of reader.parts) {
    const tables = async function* (): AsyncGenerator<Table> {
      for await (const beside of tablesBesideNeighbours(reader, key, names, denoiser.reach)) {
        context.signal.throwIfAborted();
        yield await denoiser.clean(beside, done);
        done += beside.rows;
        context.progress(done / Math.max(1, reader.rows), `cleaned ${done} of ${reader.rows} rows`);
      }
    };
    yield { key, tables: tables() };
  }
}
