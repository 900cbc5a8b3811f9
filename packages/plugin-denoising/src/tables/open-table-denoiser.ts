import { denormalise, encodeTable, loadModel, predictor, type Model, type NumberEncoder } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import type { Table } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { valuesOf } from './number-columns.ts';
import type { TableDenoiserOptions } from './train-table.ts';

/** A denoising model of tables. Dispose it after use. */
export interface TableDenoiser {
  model: Model;
  options: TableDenoiserOptions;
  /** Columns it cleans, in its order. */
  columns: NumberEncoder[];
  /** Rows before and after a row that it sees. */
  reach: number;
  /**
   * Clean values of rows with their neighbours beside them. Missing cells stay missing; answers lie within what training
   * has seen. @param firstRow of the table, for messages
   */
  clean(beside: Table, firstRow: number): Promise<Table>;
  dispose(): void;
}

export async function openTableDenoiser(context: StageContext, ref: ArtifactRef): Promise<TableDenoiser> {
  const model = await loadModel(context.artifacts, ref);
  const options = model.description.options as unknown as TableDenoiserOptions;
  const all = model.encoder.columns as NumberEncoder[];
  const columns = all.slice(0, all.length / (2 * options.neighbours + 1));
  const answer = predictor(await context.engine(), model);
  return {
    model,
    options,
    columns,
    reach: options.neighbours,
    async clean(beside, firstRow) {
      const { values } = await answer.reconstruct(encodeTable(model.encoder, beside, firstRow));
      return {
        rows: beside.rows,
        columns: Object.fromEntries(
          columns.map((column, j) => [
            column.name,
            {
              kind: 'numeric',
              values: valuesOf(beside, column.name).map((noisy, i) =>
                Number.isNaN(noisy) || column.empty
                  ? noisy
                  : Math.min(column.max, Math.max(column.min, denormalise(column.map, values[i * all.length + j]!))),
              ),
            },
          ]),
        ),
      };
    },
    dispose: () => answer.dispose(),
  };
}
