import { HourglassError } from '@hourglass/core';
import { exportDataset, type ExportFormat } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';

import type { exportStage } from './export-manifest.ts';

const ENDINGS: Record<string, ExportFormat> = {
  parquet: 'parquet',
  pq: 'parquet',
  csv: 'csv',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
};

export const run: StageRun<typeof exportStage> = async (context, { data }, { uri, allowPartial, ...options }) => {
  if (data.missing?.length && !allowPartial)
    throw new HourglassError(
      'INPUT_INVALID',
      `data/export: expected a whole dataset, found one without the parts ${data.missing.slice(0, 5).join(', ')}${data.missing.length > 5 ? `, … (${data.missing.length})` : ''}. ` +
        'Mend what failed, or set allowPartial: true.',
    );
  const format = options.format ?? ENDINGS[/\.([a-z]+)$/i.exec(uri)?.[1]?.toLowerCase() ?? ''];
  if (format === undefined)
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: uri: expected a name that ends in .parquet, .csv, .arrow or .feather, or the option \`format\`; found "${uri}".`,
    );
  if (options.codec === 'parquetjs' && format !== 'parquet')
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: codec parquetjs writes Parquet, found format ${format}. Leave \`codec\` out.`,
    );
  context.progress(undefined, `writing ${data.rows ?? ''} rows to ${uri}`);
  const written = await exportDataset(context.artifacts, data, uri, { ...options, format });
  return { written: { ...written, format } };
};
