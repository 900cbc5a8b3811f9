import { defineApplication, identityExample, loadModel } from '@hourglass/autoencoder';
import type { LearnerMetrics } from '@hourglass/autoencoder/options';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import type { ItemContext, StageContext, StageRun } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import { saveDetector } from './detector/save-detector.ts';
import type { train } from './index.ts';
import { divide, weigh, type Candidate } from './learn-detector.ts';
import { normalRows } from './normal-rows.ts';
import { setAsideContamination } from './trim.ts';

type Options = z.output<typeof train.options>;

/** Beyond this many deviations errors count linearly, so that a few far values do not rule what is learned. */
const HUBER = 3;
/** Fewer normal rows cannot be divided into rows to learn from and rows to judge by. */
const FEWEST = 20;

/** x → x through a bottleneck; what is not normal comes out differently. */
const anomaly = defineApplication<Options>({
  name: 'anomaly-detection',
  version: 1,
  readOut: { kind: 'score', stage: 'anomaly-detection/score', output: 'data' },
  loss: () => ({ huber: HUBER }),
  example: (batch) => identityExample(batch, tf.step(batch.w)),
});

export const run: StageRun<typeof train> = async (context, { data }, options) => {
  const excluded = options.label === undefined ? options.exclude : [...new Set([...options.exclude, options.label])];
  if (options.label !== undefined && options.columns?.includes(options.label))
    throw new HourglassError(
      'OPTION_INVALID',
      `anomaly-detection/train: option columns asks to learn "${options.label}", the label; it would tell every anomaly by its name. Leave it out of columns`,
      { details: { column: options.label } },
    );
  const learned = { ...options, exclude: excluded };
  const normals = await normalRows('anomaly-detection/train', context.artifacts, data, options);
  await requireRows(context, normals);
  const { kept, trimmed } =
    options.contamination > 0 ? await setAsideContamination(context, normals, learned) : { kept: normals, trimmed: 0 };
  const { fit, held } = await divide(context, kept, options.holdout);
  const widths = [...new Set(options.latentDims.length > 0 ? options.latentDims : [options.latentDim])];
  const candidates =
    widths.length > 1 ? await trainWidths(context, fit, held, learned, widths) : new Map<number, number>();
  const [best] = [...candidates].sort(([a, m], [b, n]) => n - m || a - b);
  const latentDim = best?.[0] ?? widths[0]!;
  const trained = await anomaly.train(context, { data: fit }, { ...learned, latentDim }, MEMBERS);
  const { detector, report } = await weigh(context, trained.model, fit, held, learned);
  const model = await saveDetector(context.artifacts, await loadModel(context.artifacts, trained.model), detector);
  const used = Object.entries(report.weights).filter(([, weight]) => weight > 0);
  context.log.info(`scores used: ${used.map(([name, weight]) => `${name} ${weight.toFixed(2)}`).join(', ')}`);
  return {
    model,
    metrics: {
      ...trained.metrics,
      ...report,
      latentDim,
      widths: Object.fromEntries([...candidates].map(([width, auroc]) => [String(width), auroc])),
      heldOut: held.rows ?? 0,
      trimmed,
    },
  };
};

const MEMBERS = { module: './train.ts', export: 'trainMember' } as const;

/** One network of an ensemble, in a process of its own. */
export const trainMember = anomaly.trainMember;

/** One network: to compare widths, or to find contamination. */
export async function trainCandidate(
  { data, options }: Candidate,
  context: ItemContext,
): Promise<{ model: ArtifactRef; metrics: LearnerMetrics }> {
  const alone = () => Promise.reject(new Error('a single network needs no processes of its own'));
  return anomaly.train({ ...context, parallel: alone }, { data }, { ...options, ensemble: 1 });
}

/** pseudoAuroc of each width. */
async function trainWidths(
  context: StageContext,
  fit: ArtifactRef,
  held: ArtifactRef,
  options: Options,
  widths: number[],
): Promise<Map<number, number>> {
  const trained = await context.parallel<Candidate, { model: ArtifactRef }>(
    widths.map((latentDim) => ({ data: fit, options: { ...options, latentDim } })),
    { module: './train.ts', export: 'trainCandidate' },
  );
  const judged = new Map<number, number>();
  for (const [k, { model }] of trained.entries()) {
    context.signal.throwIfAborted();
    const { report } = await weigh(context, model, fit, held, options);
    context.log.info(`latentDim ${widths[k]}: ${report.pseudoAuroc.toFixed(4)} against spoiled rows`);
    judged.set(widths[k]!, report.pseudoAuroc);
  }
  return judged;
}

async function requireRows(context: StageContext, data: ArtifactRef): Promise<void> {
  const { rows } = await openDataset(context.artifacts, data);
  if (rows < FEWEST)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `anomaly-detection/train: expected at least ${FEWEST} normal rows, some to learn from and some to judge by, found ${rows}; provide more rows`,
      { details: { rows, needed: FEWEST } },
    );
}
