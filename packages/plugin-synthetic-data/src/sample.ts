import { generatorPasses } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { writeDataset, type Table } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { balancedConditions, checkConditions } from './conditions.ts';
import { drawRows } from './draw-rows.ts';
import { loadGenerator } from './generator-model.ts';
import type { sample } from './index.ts';
import { standardNormal } from './latent-prior.ts';
import { uniqueMakers } from './unique-columns.ts';

const STAGE = 'synthetic-data/sample';

export const run: StageRun<typeof sample> = async (context, inputs, options) => {
  const { artifacts, seed, signal } = context;
  const generator = await loadGenerator(artifacts, inputs.model, STAGE);
  const { model, heads, prior, rules } = generator;
  const { encoder, description } = model;
  const rows = options.rows ?? description.rows;
  const { where, balance } = options;
  if (balance !== undefined && balance in where)
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: "${balance}" is in both where and balance: one asks for some of its values, the other for all; leave it out of one`,
    );
  checkConditions(STAGE, where, encoder, rules.comparisons);
  const shares =
    balance === undefined
      ? [where]
      : balancedConditions(STAGE, balance, encoder, heads).map((one) => ({ ...where, ...one }));
  const made = new Set([...encoder.columns, ...rules.unique].map(({ name }) => name));
  const columns = encoder.schema.filter(({ name }) => made.has(name));
  const ids = uniqueMakers(rules.unique, rows, seed);
  const passes = await generatorPasses(await context.engine(), model);
  async function* tables(): AsyncGenerator<Table> {
    const drawn = drawRows(generator, passes, {
      rows,
      seed,
      prior: options.from === 'posterior' ? prior : standardNormal(passes.latentDim),
      shares,
      copies: options.copies,
      elements: options.elements,
      signal,
      progress: (done) => context.progress(done / rows, `${done} of ${rows} rows`),
    });
    for await (const table of drawn)
      yield {
        ...table,
        columns: { ...table.columns, ...Object.fromEntries(ids.map(({ name, next }) => [name, next(table.rows)])) },
      };
  }
  try {
    return { data: await writeDataset(artifacts, { columns, parts: [{ tables: tables() }] }) };
  } finally {
    passes.dispose();
  }
};
