import { encodeTable, predictor, type EncodedTable, type Model } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, type TableChunk } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { detectorScorer, type Detector, type ScoredRows } from './detector/detector.ts';

/** Rows in memory at once. */
const CHUNK = 16_384;

/** Scores of a dataset's rows in order. */
export async function scoreAll(
  context: StageContext,
  { model, detector }: { model: Model; detector: Detector },
  data: ArtifactRef,
): Promise<Float64Array> {
  const reader = await openDataset(context.artifacts, data);
  const names = model.encoder.columns.map(({ name }) => name);
  const answer = predictor(await context.engine(), model);
  const scores = new Float64Array(reader.rows);
  try {
    const score: (encoded: EncodedTable) => Promise<ScoredRows> = detectorScorer(model, answer, detector);
    let row = 0;
    for await (const chunk of reader.chunks(names, { rows: CHUNK }) as AsyncIterable<TableChunk>) {
      context.signal.throwIfAborted();
      scores.set((await score(encodeTable(model.encoder, chunk, row))).score, row);
      row += chunk.rows;
      context.progress(row / Math.max(1, reader.rows), `scored ${row} of ${reader.rows} rows`);
    }
  } finally {
    answer.dispose();
  }
  return scores;
}
