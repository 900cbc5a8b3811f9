import { answerType, applyRows, decodeTable, loadModel, predictor } from '@hourglass/autoencoder';
import type { Column } from '@hourglass/dataset';
import { HourglassError, type StageRun } from '@hourglass/plugin-kit';
import type { reconstruct } from './index.ts';

/** Every learned cell as the model expects it, in the table's order of columns. */
export const run: StageRun<typeof reconstruct> = async (context, { data, model: ref }, options) => {
  const { keep, latentOnly, exact, error } = options;
  const as = exact ? 'exact' : 'deliver';
  const model = await loadModel(context.artifacts, ref);
  const learned = new Map(model.encoder.columns.map((column) => [column.name, column]));
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        order: 'table',
        columns(reader) {
          if (error !== undefined) refuseTaken(error, reader.columns);
          return [
            ...reader.columns
              .filter(({ name }) => learned.has(name))
              .map(({ name, physical }) => ({
                name,
                physical: answerType(learned.get(name)!, physical, as),
              })),
            ...(error === undefined ? [] : [{ name: error, physical: 'FLOAT' }]),
          ];
        },
        async transform(encoded) {
          const reconstruction = latentOnly
            ? await answer.fromLatents(await answer.latents(encoded))
            : await answer.reconstruct(encoded);
          const table = decodeTable(model.encoder, reconstruction, { as });
          if (error === undefined) return table;
          const values = Float64Array.from(await answer.errors(encoded));
          return { ...table, columns: { ...table.columns, [error]: { kind: 'numeric', values } } };
        },
      }),
    };
  } finally {
    answer.dispose();
  }
};

/** @throws COLUMN_INVALID when the table has a column of that name */
function refuseTaken(error: string, columns: readonly Column[]): void {
  if (!columns.some(({ name }) => name.toLowerCase() === error.toLowerCase())) return;
  throw new HourglassError(
    'COLUMN_INVALID',
    `model/reconstruct: option error adds a column "${error}", which the table has already; choose another name`,
    { details: { column: error } },
  );
}
