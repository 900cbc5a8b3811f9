import { encodeSample, loadModel, predictor } from '@hourglass/autoencoder';
import { deriveSeed, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { permutation } from '@hourglass/engine';
import type { StageContext } from '@hourglass/plugin-kit';
import type { z } from 'zod';
import { fitDetector, type Detector, type DetectorReport } from './detector/detector.ts';
import type { train } from './index.ts';
import { keepRows } from './normal-rows.ts';

type Options = z.output<typeof train.options>;

/** One network as work for a process of its own: to compare widths, or to find contamination. */
export interface Candidate {
  data: ArtifactRef;
  options: Options;
}

/** Builds the detector on a trained model. */
export async function weigh(
  context: StageContext,
  ref: ArtifactRef,
  fit: ArtifactRef,
  held: ArtifactRef,
  options: Options,
): Promise<{ detector: Detector; report: DetectorReport }> {
  const model = await loadModel(context.artifacts, ref);
  const rows = async (data: ArtifactRef) =>
    encodeSample(
      await openDataset(context.artifacts, data),
      model.encoder,
      options.maxRows,
      deriveSeed(context.seed, 'rows'),
    );
  const answer = predictor(await context.engine(), model);
  try {
    return await fitDetector(model, answer, await rows(fit), await rows(held), options, context.seed);
  } finally {
    answer.dispose();
  }
}

/** Rows to learn from and rows to judge by, at random. */
export async function divide(
  context: StageContext,
  data: ArtifactRef,
  share: number,
): Promise<{ fit: ArtifactRef; held: ArtifactRef }> {
  const { rows } = await openDataset(context.artifacts, data);
  const order = permutation(rows, deriveSeed(context.seed, 'holdout'), 0);
  const isHeld = new Uint8Array(rows);
  for (const row of order.subarray(0, Math.max(4, Math.round(rows * share)))) isHeld[row] = 1;
  return {
    fit: await keepRows(
      context.artifacts,
      data,
      isHeld.map((cell) => 1 - cell),
    ),
    held: await keepRows(context.artifacts, data, isHeld),
  };
}
