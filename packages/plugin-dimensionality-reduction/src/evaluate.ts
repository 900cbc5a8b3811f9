import { putFigures } from '@hourglass/artifacts';
import { checkDims, checkSchema, loadModel, predictor, refuseLearnedLabel, type Model } from '@hourglass/autoencoder';
import { didYouMean, HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, sampleRows, type DatasetReader } from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { evaluate } from './index.ts';
import { reductionFigures } from './reduction-figures.ts';
import { scoreReduction } from './score-reduction.ts';

const STAGE = 'dimensionality-reduction/evaluate';

/** Measures what the latents keep of rows, next to principal components fitted on the rows the model learned from. */
export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const model = await loadModel(context.artifacts, inputs.model);
  const { label } = options;
  if (label !== undefined && options.learnedLabel === 'refuse') refuseLearnedLabel(STAGE, model, label);
  const data = await read(context, model, inputs.data, 'data', label, options.maxRows);
  const reference = inputs.reference
    ? await read(context, model, inputs.reference, 'reference', label, options.maxRows)
    : data;
  const dims = sizes(model, options.dims);
  context.progress(0.1, `measuring ${dims.length} size${dims.length > 1 ? 's' : ''} on ${data.rows} rows`);
  const engine = await context.engine();
  const answer = predictor(engine, model);
  try {
    const { metrics, map } = await scoreReduction({ engine, model, answer, data, reference, dims, options }, (done) => {
      context.signal.throwIfAborted();
      context.progress(0.1 + 0.8 * done, 'measuring');
    });
    return { metrics, figures: await putFigures(context.artifacts, reductionFigures(metrics, map)) };
  } finally {
    answer.dispose();
  }
};

async function read(
  context: StageContext,
  model: Model,
  ref: ArtifactRef,
  input: string,
  label: string | undefined,
  maxRows: number,
) {
  const reader = await openDataset(context.artifacts, ref);
  for (const notice of checkSchema(model.encoder, reader.columns))
    if (reader.columns.length > model.encoder.schema.length) context.log.info(`${input}: ${notice}`);
  if (reader.rows < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected at least 2 rows in \`${input}\`, found ${reader.rows}`,
    );
  const names = model.encoder.columns.map(({ name }) => name);
  if (label !== undefined) requireLabel(reader, input, label);
  if (reader.rows > maxRows)
    context.log.warn(`${input}: measured on ${maxRows} of ${reader.rows} rows, taken evenly (maxRows)`);
  return sampleRows(reader, [...new Set([...names, ...(label === undefined ? [] : [label])])], maxRows);
}

function requireLabel({ columns }: DatasetReader, input: string, label: string): void {
  const names = columns.map(({ name }) => name);
  if (names.includes(label)) return;
  const near = didYouMean(label, names);
  throw new HourglassError(
    'COLUMN_NOT_FOUND',
    `${STAGE}: option label names "${label}", which \`${input}\` does not have${near ? `; did you mean "${near}"?` : ''}`,
    { details: { option: 'label', column: label } },
  );
}

/** Sizes to measure, rising, the whole latent among them. @throws OPTION_INVALID for one the model cannot give */
function sizes(model: Model, asked: number[] | undefined): number[] {
  const { latentDim } = model.description.network;
  for (const d of asked ?? []) checkDims(model, d);
  if (model.description.options.ordered !== true) return [latentDim];
  const chosen = asked ?? Array.from({ length: 16 }, (_, i) => Math.round(latentDim ** (i / 15) + (i / 15) * 0.49));
  const all = latentDim <= 16 && !asked ? Array.from({ length: latentDim }, (_, i) => i + 1) : chosen;
  return [...new Set([...all, latentDim])].filter((d) => d <= latentDim).sort((a, b) => a - b);
}
