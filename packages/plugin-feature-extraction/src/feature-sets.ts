import {
  encodeTable,
  tableLayout,
  FIRST_CATEGORY,
  type EncodedTable,
  type Head,
  type Model,
  type Predictor,
} from '@hourglass/autoencoder';
import type { Table } from '@hourglass/dataset';
import { evenly, fitPca, pcaTransform, takeRows, type NumberMatrix } from '@hourglass/metrics';
import type { FeatureSet } from './metrics-schema.ts';
import { beside, fitOneScale, fitScale, standardised, type Scale } from './standardise.ts';

/** Rows components are fitted on at most. */
const PCA_ROWS = 10_000;

/** Learned features of rows, `[n, f]`. */
export const featuresOf = (model: Model, answer: Predictor, table: Table, kind: Head['kind']): Promise<NumberMatrix> =>
  encodedFeatures(model, answer, encodeTable(model.encoder, table), kind);

/** The same of rows that are encoded already. */
export async function encodedFeatures(
  { description }: Model,
  answer: Predictor,
  encoded: EncodedTable,
  kind: Head['kind'],
): Promise<NumberMatrix> {
  const { rows } = encoded;
  return kind === 'deep'
    ? { rows, cols: answer.activationWidth, data: await answer.activations(encoded) }
    : { rows, cols: description.network.latentDim, data: await answer.latents(encoded) };
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

/** A set of features, of the training rows asked for and of all test rows. */
export interface FeatureRows {
  train: NumberMatrix;
  test: NumberMatrix;
}

/**
 * Every set of features, brought to scale by all training rows, which need no labels for that. Of these only the rows named
 * are kept: few have a label, and all of them in every set would be several times the table.
 */
export async function featureSets(
  model: Model,
  answer: Predictor,
  tables: { train: Table; test: Table },
  rows: ArrayLike<number>,
  kind: Head['kind'],
): Promise<Record<FeatureSet, FeatureRows>> {
  const scaled = (train: NumberMatrix, test: NumberMatrix, scale: Scale): FeatureRows => ({
    train: standardised(takeRows(train, rows), scale),
    test: standardised(test, scale),
  });
  const scaleOfKind = scaleOf(kind);
  const [train, test] = [rawOf(model, tables.train), rawOf(model, tables.test)];
  const scale = fitScale(train);
  const raw = scaled(train, test, scale);
  const known = await featuresOf(model, answer, tables.train, kind);
  const learned = scaled(known, await featuresOf(model, answer, tables.test, kind), scaleOfKind(known));
  const few = evenly(train.rows, PCA_ROWS);
  const k = Math.min(model.description.network.latentDim, train.cols, train.rows);
  const pca = fitPca(standardised(takeRows(train, few), scale), k);
  const components = (x: NumberMatrix): NumberMatrix =>
    inBlocks(x, k, (block) => pcaTransform(pca, standardised(block, scale)));
  const seen = components(train);
  return {
    raw,
    pca: scaled(seen, components(test), scaleOfKind(seen)),
    features: learned,
    'raw+features': { train: beside(raw.train, learned.train), test: beside(raw.test, learned.test) },
  };
}

/** Rows that are changed at once. */
const BLOCK = 4096;

/** Rows changed a block at a time: `[n, d]` → `[n, cols]`. */
function inBlocks(x: NumberMatrix, cols: number, change: (block: NumberMatrix) => Float64Array): NumberMatrix {
  const data = new Float64Array(x.rows * cols);
  for (let from = 0; from < x.rows; from += BLOCK) {
    const rows = Array.from({ length: Math.min(BLOCK, x.rows - from) }, (_, i) => from + i);
    data.set(change(takeRows(x, rows)), from * cols);
  }
  return { rows: x.rows, cols, data };
}

/** Latents are a space, in which a direction that hardly varies says little; deep features are columns of their own. */
export const scaleOf = (kind: Head['kind']): typeof fitScale => (kind === 'latent' ? fitOneScale : fitScale);
