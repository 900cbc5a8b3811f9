import { applyRows, decodeTable, predictor } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { ident, openDataset, queryDataset, type ColumnData } from '@hourglass/dataset';
import { benjaminiHochberg } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { detectorScorer } from './detector/detector.ts';
import { loadDetector } from './detector/save-detector.ts';
import type { score } from './index.ts';
import { reasonColumns, reasonSchema } from './reasons.ts';
import { loadThreshold, pValue, type Threshold } from './threshold.ts';

/** p-values are fractions of whole numbers: equal ones must compare equal. */
const ROUNDING = 1 + 1e-12;

export const run: StageRun<typeof score> = async (context, inputs, options) => {
  const { artifacts } = context;
  const { model, detector } = await loadDetector(artifacts, inputs.model);
  const threshold = inputs.threshold && (await loadThreshold(artifacts, inputs.threshold, inputs.model));
  const { prefix } = options;
  const reasons = Math.min(options.reasons, model.encoder.columns.length);
  const columns = [
    { name: `${prefix}score`, physical: 'DOUBLE' },
    ...(threshold
      ? [
          { name: `${prefix}p_value`, physical: 'DOUBLE' },
          { name: `${prefix}anomaly`, physical: 'BOOLEAN' },
        ]
      : []),
    ...reasonSchema(reasons, prefix),
  ];
  const reader = await openDataset(artifacts, inputs.data);
  const answer = predictor(await context.engine(), model);
  const pValues: Float64Array[] = [];
  let flagged = 0;
  try {
    const scorer = detectorScorer(model, answer, detector);
    let data = await applyRows(context, model, inputs.data, {
      columns: () => columns,
      keep: reader.columns.map(({ name }) => name),
      async transform(encoded, table) {
        const scored = await scorer(encoded);
        const made: Record<string, ColumnData> = { [`${prefix}score`]: { kind: 'numeric', values: scored.score } };
        if (threshold) {
          const p = scored.score.map((value) => pValue(threshold, value));
          pValues.push(p);
          const flags = scored.score.map((value, i) => (isFlagged(threshold, value, p[i]!) ? 1 : 0));
          for (const flag of flags) flagged += flag;
          made[`${prefix}p_value`] = { kind: 'numeric', values: p };
          made[`${prefix}anomaly`] = { kind: 'numeric', values: flags };
        }
        const expected = decodeTable(model.encoder, scored.reconstruction);
        Object.assign(made, reasonColumns(model.encoder, scored, table, expected, reasons, prefix));
        return { rows: encoded.rows, columns: made };
      },
    });
    if (threshold?.method === 'bh')
      ({ data, flagged } = await rejectTogether(context, data, threshold, pValues, prefix));
    const alarms = await queryDataset(artifacts, {
      inputs: { data },
      perPart: true,
      sql: `SELECT * FROM data WHERE ${threshold ? ident(`${prefix}anomaly`) : 'false'}`,
    });
    context.log.info(
      threshold ? `flagged ${flagged} of ${reader.rows} rows (level ${threshold.level})` : 'no threshold: scores only',
    );
    return {
      data,
      flagged: alarms,
      metrics: {
        rows: reader.rows,
        flagged: threshold ? flagged : null,
        flaggedShare: threshold ? (reader.rows > 0 ? flagged / reader.rows : 0) : null,
        expectedFalse: threshold ? threshold.level * (threshold.method === 'bh' ? flagged : reader.rows) : null,
      },
    };
  } finally {
    answer.dispose();
  }
};

function isFlagged({ method, level, score }: Threshold, value: number, p: number): boolean {
  return method === 'quantile' ? value > score : p <= level * ROUNDING;
}

/** Flags by Benjamini–Hochberg over all rows: which p-value is small enough depends on all others. */
async function rejectTogether(
  context: Parameters<typeof run>[0],
  data: ArtifactRef,
  { level }: Threshold,
  pValues: Float64Array[],
  prefix: string,
): Promise<{ data: ArtifactRef; flagged: number }> {
  const all = pValues.flatMap((values) => [...values]);
  const cut = benjaminiHochberg(all, level);
  return {
    flagged: all.filter((p) => p <= cut).length,
    data: await queryDataset(context.artifacts, {
      inputs: { data },
      perPart: true,
      sql: `SELECT * REPLACE (${ident(`${prefix}p_value`)} <= ${cut} AS ${ident(`${prefix}anomaly`)}) FROM data`,
    }),
  };
}
