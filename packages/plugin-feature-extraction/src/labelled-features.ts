import { checkSchema, loadModel, predictor, putHead, refuseLearnedLabel, type Head } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, type ColumnData } from '@hourglass/dataset';
import { permutation } from '@hourglass/engine';
import { takeRows, type NumberMatrix } from '@hourglass/metrics';
import type { StageContext } from '@hourglass/plugin-kit';
import { featuresOf, scaleOf } from './feature-sets.ts';
import { HEAD } from './head-name.ts';
import { requireLabel } from './label.ts';
import { standardised, type Scale } from './standardise.ts';

const FEWEST = 10;

export interface HeadInputs {
  model: ArtifactRef;
  data: ArtifactRef;
}
export interface HeadOptions {
  label: string;
  kind: Head['kind'];
  calibration: number;
}

/** What a head is fitted to: labelled rows as features, and which of them are put aside. */
export interface Labelled<T> {
  /** What `read` made of the labels: one entry a labelled row, in order. */
  y: T;
  /** Features of those rows, brought to scale. */
  x: NumberMatrix;
  scale: Scale;
  aside: number[];
}

/**
 * @param read the labels, and the rows that have one
 * @throws COLUMN_NOT_FOUND, SCHEMA_MISMATCH, INPUT_INVALID (the label was learned), DATA_INSUFFICIENT
 */
export async function labelledFeatures<T>(
  context: StageContext,
  stage: string,
  inputs: HeadInputs,
  { label, kind, calibration }: HeadOptions,
  read: (column: ColumnData) => { rows: number[]; y: T },
): Promise<Labelled<T>> {
  const store = context.artifacts;
  const model = await loadModel(store, inputs.model);
  refuseLearnedLabel(stage, model, label);
  const reader = await openDataset(store, inputs.data);
  checkSchema(model.encoder, reader.columns);
  requireLabel(stage, reader, label);
  const table = await reader.table([...new Set([...model.encoder.columns.map(({ name }) => name), label])]);
  const { rows, y } = read(table.columns[label]!);
  if (rows.length < FEWEST)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: expected at least ${FEWEST} labelled rows, found ${rows.length}`,
    );
  const answer = predictor(await context.engine(), model);
  try {
    context.progress(0.1, `features of ${table.rows} rows`);
    const raw = takeRows(await featuresOf(model, answer, table, kind), rows);
    const scale = scaleOf(kind)(raw);
    const aside = Array.from(permutation(rows.length, context.seed, 0)).slice(
      0,
      Math.max(2, Math.round(rows.length * calibration)),
    );
    return { y, x: standardised(raw, scale), scale, aside };
  } finally {
    answer.dispose();
  }
}

/** Stores a head with the encoder it stands on: applied by feature-extraction/predict. */
export const storeHead = ({ artifacts }: StageContext, model: ArtifactRef, head: Head): Promise<ArtifactRef> =>
  putHead(artifacts, model, head, {
    application: HEAD,
    readOut: { kind: 'score', stage: 'feature-extraction/predict', output: 'data' },
  });
