import { encodeTable, loadModel, predictor } from '@hourglass/autoencoder';
import { deriveSeed, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { permutation } from '@hourglass/engine';
import type { StageContext } from '@hourglass/plugin-kit';
import type { z } from 'zod';
import { detectorScorer } from './detector/detector.ts';
import type { train } from './index.ts';
import { divide, weigh, type Candidate } from './learn-detector.ts';
import { keepRows } from './normal-rows.ts';

/**
 * Sets aside the share of rows most likely to be anomalies. Each half of the table is scored by a detector trained on the
 * other, so that no row is judged by a net that has learned it.
 */
export async function setAsideContamination(
  context: StageContext,
  data: ArtifactRef,
  options: z.output<typeof train.options>,
): Promise<{ kept: ArtifactRef; trimmed: number }> {
  const { artifacts } = context;
  const { rows } = await openDataset(artifacts, data);
  const half = new Uint8Array(rows);
  const order = permutation(rows, deriveSeed(context.seed, 'halves'), 0);
  for (const row of order.subarray(0, rows >> 1)) half[row] = 1;
  const halves = [
    await keepRows(
      artifacts,
      data,
      half.map((cell) => 1 - cell),
    ),
    await keepRows(artifacts, data, half),
  ];
  const divided = await Promise.all(halves.map((each) => divide(context, each, options.holdout)));
  const trained = await context.parallel<Candidate, { model: ArtifactRef }>(
    divided.map(({ fit }) => ({ data: fit, options })),
    { module: './train.ts', export: 'trainCandidate' },
  );
  const keep = new Uint8Array(rows).fill(1);
  let trimmed = 0;
  for (const [k, { model: ref }] of trained.entries()) {
    const { detector } = await weigh(context, ref, divided[k]!.fit, divided[k]!.held, options);
    const model = await loadModel(artifacts, ref);
    const answer = predictor(await context.engine(), model);
    try {
      const other = await openDataset(artifacts, halves[1 - k]!);
      const table = await other.table(model.encoder.columns.map(({ name }) => name));
      const { score } = await detectorScorer(model, answer, detector)(encodeTable(model.encoder, table));
      const worst = Int32Array.from(score.keys()).sort((a, b) => score[b]! - score[a]! || a - b);
      const members = Int32Array.from(half.keys()).filter((row) => half[row] === 1 - k);
      const count = Math.round(options.contamination * members.length);
      for (const place of worst.subarray(0, count)) keep[members[place]!] = 0;
      trimmed += count;
    } finally {
      answer.dispose();
    }
  }
  context.log.info(`set aside ${trimmed} of ${rows} rows as contamination`);
  return { kept: await keepRows(artifacts, data, keep), trimmed };
}
