import { HourglassError } from '@hourglass/core';
import { openDataset, sampleRows, type Column } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { chooseColumns } from './choose-columns.ts';
import type { evaluate } from './index.ts';
import { scoreImputation } from './score-imputation.ts';

/** Types a filled cell can be compared in. */
const SCORABLE = new Set<Column['type']>([
  'float',
  'integer',
  'boolean',
  'string',
  'date',
  'timestamp',
  'time',
  'bigint',
  'decimal',
]);

/** Scores filled cells against the truth, next to simple methods on the same cells. */
export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const [imputed, truth, mask] = await Promise.all([
    openDataset(context.artifacts, inputs.imputed),
    openDataset(context.artifacts, inputs.truth),
    openDataset(context.artifacts, inputs.mask),
  ]);
  for (const [name, reader] of Object.entries({ imputed, mask }))
    if (reader.rows !== truth.rows)
      throw new HourglassError(
        'SCHEMA_MISMATCH',
        `imputation/evaluate: expected \`${name}\` to have the rows of \`truth\` (${truth.rows}), found ${reader.rows}; connect tables made from one another without dropping rows`,
      );
  chooseColumns('imputation/evaluate', truth.columns, { categorical: options.categorical });
  const masked = mask.columns.filter(({ type }) => type === 'boolean').map(({ name }) => name);
  const columns = truth.columns.filter(({ name, type }) => SCORABLE.has(type) && masked.includes(name));
  const names = columns.map(({ name }) => name);
  if (names.length === 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `imputation/evaluate: expected boolean columns in \`mask\` named as in \`truth\` (${truth.columns
        .map(({ name }) => name)
        .slice(0, 12)
        .join(', ')} …), found ${mask.columns
        .map(({ name, physical }) => `${name} ${physical}`)
        .slice(0, 12)
        .join(', ')}; connect the \`mask\` of imputation/mask`,
    );
  if (truth.rows > options.maxRows)
    context.log.warn(
      `scored on ${options.maxRows} of ${truth.rows} rows, taken evenly (maxRows): k-NN compares all pairs of rows`,
    );
  const known = new Set(imputed.columns.map(({ name }) => name));
  context.progress(0, 'reading');
  const tables = {
    truth: await sampleRows(truth, names, options.maxRows),
    imputed: await sampleRows(
      imputed,
      names.filter((name) => known.has(name)),
      options.maxRows,
    ),
    mask: await sampleRows(mask, names, options.maxRows),
  };
  context.signal.throwIfAborted();
  context.progress(0.2, `scoring, with ${options.baselines.join(', ') || 'no baseline'}`);
  return { metrics: scoreImputation(columns, tables, options.baselines, options.categorical) };
};
