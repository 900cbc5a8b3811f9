import {
  answerType,
  checkDims,
  decodeTable,
  loadModel,
  predictor,
  type Model,
  type Predictor,
} from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import {
  eachPart,
  ident,
  openDataset,
  queryDataset,
  writeDataset,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { inverseTransform } from './index.ts';

const CHUNK = 16_384;

/** The learned columns from latents; columns beside the latents come along bit for bit. */
export const run: StageRun<typeof inverseTransform> = async (context, { data, model: ref }, { prefix, exact }) => {
  const store = context.artifacts;
  const model = await loadModel(store, ref);
  const reader = await openDataset(store, data);
  const latents = latentColumns(reader, model, prefix);
  const learned = model.encoder.columns;
  const names = new Set(learned.map(({ name }) => name));
  const kept = reader.columns.map(({ name }) => name).filter((name) => !latents.includes(name));
  const twin = kept.find((name) => [...names].some((other) => other.toLowerCase() === name.toLowerCase()));
  if (twin !== undefined)
    throw new HourglassError(
      'COLUMN_INVALID',
      `dimensionality-reduction/inverse-transform: the table has a column "${twin}" and the model gives one of that name; leave it out of keep when transforming`,
      { details: { column: twin } },
    );
  const answer = predictor(await context.engine(), model);
  try {
    const columns = model.encoder.schema
      .filter(({ name }) => names.has(name))
      .map(({ name, physical }) => ({
        name,
        physical: answerType(
          learned.find((column) => column.name === name)!,
          physical,
          exact ? 'exact' : 'deliver',
        ),
      }));
    const decode = { context, reader, latents, model, answer, exact };
    const made = await writeDataset(store, {
      columns,
      parts: eachPart(reader, (part, firstRow) => decodedTables(decode, part, firstRow)),
    });
    if (kept.length === 0) return { data: made };
    return {
      data: await queryDataset(store, {
        inputs: { data, made },
        perPart: true,
        sql: `SELECT ${kept.map((name) => `data.${ident(name)}`).join(', ')}, made.* FROM data POSITIONAL JOIN made`,
      }),
    };
  } finally {
    answer.dispose();
  }
};

/**
 * Names of the latent columns the table has, first to last.
 * @throws SCHEMA_MISMATCH saying how many were expected and found
 */
function latentColumns(reader: DatasetReader, model: Model, prefix: string): string[] {
  const { latentDim } = model.description.network;
  const names = new Set(reader.columns.map(({ name }) => name));
  let found = 0;
  while (names.has(`${prefix}${found + 1}`)) found++;
  const numbered = [...names].filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)));
  const ordered = model.description.options.ordered === true;
  if (found === 0 || numbered.length !== found || found > latentDim || (found < latentDim && !ordered))
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `dimensionality-reduction/inverse-transform: expected the latents ${prefix}1 … ${prefix}${latentDim} of this model${ordered ? ', or the first of them' : ''}, found ${
        numbered.length === 0 ? 'no such column' : numbered.slice(0, 12).join(', ')
      }${numbered.length > 12 ? `, … (${numbered.length})` : ''}; connect the output of transform with the same model and prefix`,
    );
  checkDims(model, found);
  return Array.from({ length: found }, (_, k) => `${prefix}${k + 1}`);
}

interface Decode {
  context: StageContext;
  reader: DatasetReader;
  latents: string[];
  model: Model;
  answer: Predictor;
  exact: boolean;
}

async function* decodedTables(
  { context, reader, latents, model, answer, exact }: Decode,
  { key: part, rows }: DatasetReader['parts'][number],
  firstRow: number,
): AsyncGenerator<Table> {
  const { latentDim } = model.description.network;
  for (let offset = 0; offset < rows; offset += CHUNK) {
    context.signal.throwIfAborted();
    const matrix = await reader.matrix(latents, { part, offset, limit: CHUNK });
    const bad = matrix.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new HourglassError(
        'COLUMN_INVALID',
        `dimensionality-reduction/inverse-transform: column "${latents[bad % matrix.cols]}" has a missing or infinite cell in row ${firstRow + offset + Math.floor(bad / matrix.cols)}; a latent has all its dimensions`,
      );
    const z = new Float32Array(matrix.rows * latentDim);
    for (let i = 0; i < matrix.rows; i++)
      z.set(matrix.data.subarray(i * matrix.cols, (i + 1) * matrix.cols), i * latentDim);
    yield decodeTable(model.encoder, await answer.fromLatents(z), { as: exact ? 'exact' : 'deliver' });
    const done = firstRow + offset + matrix.rows;
    context.progress(done / Math.max(1, reader.rows), `${done} of ${reader.rows} rows`);
  }
}
