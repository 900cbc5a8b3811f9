import { encodeTable, tableLayout, FIRST_CATEGORY, type Model, type Predictor } from '@hourglass/autoencoder';
import type { Table } from '@hourglass/dataset';
import { fitPca, pcaTransform, type NumberMatrix } from '@hourglass/metrics';
import type { FeatureSet } from './metrics-schema.ts';
import { beside, fitOneScale, fitScale, standardised, takeRows } from './standardise.ts';

/** Rows components are fitted on at most. */
const PCA_ROWS = 10_000;

/** Learned features of rows, `[n, f]`. */
export async function featuresOf(
  { encoder, description }: Model,
  answer: Predictor,
  table: Table,
  kind: 'deep' | 'latent',
): Promise<NumberMatrix> {
  const encoded = encodeTable(encoder, table);
  const cols = kind === 'deep' ? answer.activationWidth : description.network.latentDim;
  return {
    rows: table.rows,
    cols,
    data: await (kind === 'deep' ? answer.activations(encoded) : answer.latents(encoded)),
  };
}

/** Raw columns as learners take them: numbers as the model normalises them, one column a category. */
export function rawOf({ encoder }: Pick<Model, 'encoder'>, table: Table): NumberMatrix {
  const { x, codes, rows } = encodeTable(encoder, table);
  const numbers: NumberMatrix = { rows, cols: rows ? x.length / rows : 0, data: x };
  const { categories } = tableLayout(encoder);
  const width = categories.reduce((sum, { classes }) => sum + classes, 0);
  if (width === 0) return numbers;
  const hot = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    let at = 0;
    categories.forEach(({ classes }, q) => {
      const code = codes[i * categories.length + q]! - FIRST_CATEGORY;
      if (code >= 0 && code < classes) hot[i * width + at + code] = 1;
      at += classes;
    });
  }
  return beside(numbers, { rows, cols: width, data: hot });
}

/** Every set of features of training and test rows, brought to scale by the training rows, which need no labels for that. */
export async function featureSets(
  model: Model,
  answer: Predictor,
  tables: { train: Table; test: Table },
  kind: 'deep' | 'latent',
): Promise<Record<FeatureSet, { train: NumberMatrix; test: NumberMatrix }>> {
  const raw = scaled(rawOf(model, tables.train), rawOf(model, tables.test));
  const learned = scaled(
    await featuresOf(model, answer, tables.train, kind),
    await featuresOf(model, answer, tables.test, kind),
    scaleOf(kind),
  );
  const step = Math.max(1, raw.train.rows / PCA_ROWS);
  const few = Array.from({ length: Math.min(raw.train.rows, PCA_ROWS) }, (_, i) => Math.floor(i * step));
  const k = Math.min(model.description.network.latentDim, raw.train.cols, raw.train.rows);
  const pca = fitPca(takeRows(raw.train, few), k);
  const components = (x: NumberMatrix): NumberMatrix => ({ rows: x.rows, cols: k, data: pcaTransform(pca, x) });
  return {
    raw,
    pca: scaled(components(raw.train), components(raw.test), scaleOf(kind)),
    features: learned,
    'raw+features': { train: beside(raw.train, learned.train), test: beside(raw.test, learned.test) },
  };
}

/** Latents are a space, in which a direction that hardly varies says little; deep features are columns of their own. */
export const scaleOf = (kind: 'deep' | 'latent'): typeof fitScale => (kind === 'latent' ? fitOneScale : fitScale);

function scaled(train: NumberMatrix, test: NumberMatrix, fit = fitScale): { train: NumberMatrix; test: NumberMatrix } {
  const scale = fit(train);
  return { train: standardised(train, scale), test: standardised(test, scale) };
}
