import { encodeTable, takeRows, type Model } from '@hourglass/autoencoder';
import { deriveSeed, HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { permutation } from '@hourglass/engine';
import { auroc, averagePrecision, falseAlarmInterval, precisionAt, type NumberMatrix } from '@hourglass/metrics';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { baselineScores } from './baseline-scores.ts';
import { featureMatrix } from './detector/feature-matrix.ts';
import { loadDetector } from './detector/save-detector.ts';
import type { evaluate } from './index.ts';
import type { Baseline, Ranking } from './metrics-schema.ts';
import { labelValues, readNormal } from './normal-rows.ts';
import { loadThreshold, type Threshold } from './threshold.ts';

export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const { artifacts } = context;
  const { model } = await loadDetector(artifacts, inputs.model);
  const { label, normal, prefix } = options;
  if (model.encoder.columns.some(({ name }) => name === label))
    throw new HourglassError(
      'INPUT_INVALID',
      `anomaly-detection/evaluate: the model learned column "${label}", which is the label: its scores know the answer. Train with label: ${label}, or exclude: [${label}]`,
      { details: { column: label } },
    );
  const reader = await openDataset(artifacts, inputs.scored);
  const isNormal = await readNormal('anomaly-detection/evaluate', artifacts, inputs.scored, { label, normal });
  const labels = isNormal.map((cell) => 1 - cell);
  const anomalies = labels.reduce((sum, cell) => sum + cell, 0);
  if (anomalies === 0 || anomalies === labels.length)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `anomaly-detection/evaluate: expected normal rows and others, found ${labels.length - anomalies} normal and ${anomalies} other rows; ${label} holds ${await labelValues(artifacts, inputs.scored, label)}`,
      { details: { anomalies, rows: labels.length } },
    );
  const threshold = inputs.threshold && (await loadThreshold(artifacts, inputs.threshold, inputs.model));
  const names = [`${prefix}score`, ...(threshold ? [`${prefix}p_value`, `${prefix}anomaly`] : [])];
  const missing = names.filter((name) => !reader.columns.some((column) => column.name === name));
  if (missing.length > 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `anomaly-detection/evaluate: expected columns ${names.join(', ')} of anomaly-detection/score, \`scored\` lacks ${missing.join(', ')}${threshold ? '; score with the threshold, too' : ''}`,
    );
  const table = await reader.table(names);
  const numbers = (name: string): Float64Array => {
    const column = table.columns[`${prefix}${name}`]!;
    return column.kind === 'numeric' ? column.values : new Float64Array(0);
  };
  const alarms = threshold
    ? judgeAlarms(context, threshold, labels, numbers('anomaly'), numbers('p_value'))
    : { detected: null, precision: null, falseAlarms: null, exchangeable: null };
  return {
    metrics: {
      rows: reader.rows,
      anomalies,
      ...rank(labels, numbers('score'), anomalies),
      ...alarms,
      baselines: await scoreBaselines(context, model, inputs, options, labels, anomalies),
    },
  };
};

const rank = (labels: Uint8Array, scores: ArrayLike<number>, anomalies: number): Ranking => ({
  auroc: auroc(labels, scores),
  auprc: averagePrecision(labels, scores),
  precisionAtN: precisionAt(labels, scores, anomalies),
});

function judgeAlarms(
  context: StageContext,
  { level, n }: Threshold,
  labels: Uint8Array,
  flags: Float64Array,
  pValues: Float64Array,
) {
  let caught = 0;
  let flagged = 0;
  let anomalies = 0;
  flags.forEach((flag, i) => {
    anomalies += labels[i]!;
    flagged += flag;
    caught += flag * labels[i]!;
  });
  const normals = labels.length - anomalies;
  const rate = (flagged - caught) / normals;
  const { low, high } = falseAlarmInterval(level, n, normals);
  const within = rate >= low && rate <= high;
  const exchangeable = looksUniform(
    pValues.filter((_, i) => labels[i] === 0),
    n,
  );
  if (!exchangeable)
    context.log.warn(
      `p-values of normal rows are not uniform: these rows are not like the ${n} calibrated on, so the false-alarm rate of ${level} does not hold for them (found ${rate.toPrecision(3)}). Calibrate on rows of the same time and source`,
    );
  return {
    detected: caught / anomalies,
    precision: flagged > 0 ? caught / flagged : null,
    falseAlarms: { level, rate, low, high, within, normals, calibration: n },
    exchangeable,
  };
}

/** Kolmogorov–Smirnov at 1 %, two samples: p-values carry the chance of the calibration rows, too. */
function looksUniform(pValues: Float64Array, calibration: number): boolean {
  const sorted = pValues.slice().sort();
  let distance = 0;
  sorted.forEach((p, i) => {
    distance = Math.max(distance, p - (i + 1) / sorted.length, i / sorted.length - p);
  });
  const coarse = 1 / (calibration + 1);
  return distance - coarse <= 1.63 * Math.sqrt(1 / sorted.length + 1 / calibration);
}

async function scoreBaselines(
  context: StageContext,
  model: Model,
  inputs: { scored: ArtifactRef; train?: ArtifactRef },
  {
    baselines,
    label,
    normal,
    maxRows,
  }: { baselines: Baseline[]; label: string; normal: (string | number | boolean)[]; maxRows: number },
  labels: Uint8Array,
  anomalies: number,
): Promise<Partial<Record<Baseline, Ranking>>> {
  if (baselines.length === 0) return {};
  if (!inputs.train) {
    context.log.info('no baselines: they need input train, the rows to fit them on');
    return {};
  }
  const hasLabel = (await openDataset(context.artifacts, inputs.train)).columns.some(({ name }) => name === label);
  const keep = hasLabel
    ? await readNormal('anomaly-detection/evaluate', context.artifacts, inputs.train, { label, normal })
    : undefined;
  const fit = await matrixOf(context, model, inputs.train, keep, maxRows);
  const test = await matrixOf(context, model, inputs.scored);
  const found: Partial<Record<Baseline, Ranking>> = {};
  for (const [k, baseline] of baselines.entries()) {
    context.signal.throwIfAborted();
    context.progress(k / baselines.length, `scoring by ${baseline}`);
    found[baseline] = rank(labels, baselineScores(baseline, fit, test, context.seed), anomalies);
  }
  return found;
}

/** The learned columns as points, of the rows to keep. */
async function matrixOf(
  context: StageContext,
  model: Model,
  data: ArtifactRef,
  keep?: Uint8Array,
  most = Infinity,
): Promise<NumberMatrix> {
  const reader = await openDataset(context.artifacts, data);
  const encoded = encodeTable(model.encoder, await reader.table(model.encoder.columns.map(({ name }) => name)));
  const kept = Int32Array.from(Array.from({ length: encoded.rows }, (_, i) => i).filter((i) => keep?.[i] ?? true));
  const rows =
    kept.length <= most
      ? kept
      : permutation(kept.length, deriveSeed(context.seed, 'baselines'), 0)
          .slice(0, most)
          .sort()
          .map((place) => kept[place]!);
  return featureMatrix(model.encoder, takeRows(encoded, rows));
}
