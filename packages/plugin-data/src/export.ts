import { HourglassError } from '@hourglass/core';
import { exportDataset, openDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';

import type { exportStage } from './export-manifest.ts';

export const run: StageRun<typeof exportStage> = async (context, { data }, { uri, format, allowPartial }) => {
  if (data.missing?.length && !allowPartial)
    throw new HourglassError(
      'INPUT_INVALID',
      `data/export: expected a whole dataset, found one without the parts ${data.missing.slice(0, 5).join(', ')}. ` +
        'Mend what failed, or set allowPartial: true.',
    );
  const ending = /\.(parquet|csv)$/i.exec(uri)?.[1]?.toLowerCase() as 'parquet' | 'csv' | undefined;
  const chosen = format ?? ending;
  if (!chosen)
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: uri: expected a name that ends in .parquet or .csv, or the option \`format\`; found "${uri}".`,
    );
  const reader = await openDataset(context.artifacts, data);
  const { bytes, digest } = await exportDataset(context.artifacts, data, uri, chosen);
  return { written: { rows: reader.rows, columns: reader.columns.length, bytes, digest, format: chosen } };
};
