import { isUri } from '@hourglass/artifacts';
import { firstNames, HourglassError, type StageOptions } from '@hourglass/core';
import { exportDataset, exportPartitions } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { ENDING_EXPECTED, formatOf } from './export-format.ts';
import type { exportStage } from './export-manifest.ts';

export const run: StageRun<typeof exportStage> = async (
  context,
  { data },
  { uri, allowPartial, partitionBy, mode, ...options },
) => {
  if (data.missing?.length && !allowPartial)
    throw new HourglassError(
      'INPUT_INVALID',
      `data/export: expected a whole dataset, found one without the parts ${firstNames(data.missing, 5)}. ` +
        'Mend what failed, or set allowPartial: true.',
    );
  if (partitionBy !== undefined) {
    refuseForPartitions(uri, options);
    context.progress(undefined, `writing ${data.rows ?? ''} rows to ${uri} by ${partitionBy.join(', ')}`);
    const written = await exportPartitions(context.artifacts, data, uri, { ...options, partitionBy, mode });
    return { written: { ...written, format: 'parquet' } };
  }
  if (mode === 'append')
    throw new HourglassError(
      'OPTION_INVALID',
      'data/export: mode append adds partitions to a folder, and needs the option `partitionBy`; one file is always replaced.',
    );
  const format = options.format ?? formatOf(uri);
  if (format === undefined)
    throw new HourglassError('OPTION_INVALID', `data/export: uri: ${ENDING_EXPECTED}; found "${uri}".`);
  if (options.codec === 'parquetjs' && format !== 'parquet')
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: codec parquetjs writes Parquet, found format ${format}. Leave \`codec\` out.`,
    );
  context.progress(undefined, `writing ${data.rows ?? ''} rows to ${uri}`);
  const written = await exportDataset(context.artifacts, data, uri, { ...options, format });
  return { written: { ...written, format, partitions: 0, unchanged: 0 } };
};

function refuseForPartitions(
  uri: string,
  { format, codec }: Pick<StageOptions<typeof exportStage>, 'format' | 'codec'>,
): void {
  if ((format ?? 'parquet') !== 'parquet' || codec !== 'duckdb')
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: partitionBy writes Parquet by codec duckdb, found ${codec === 'duckdb' ? `format ${format}` : `codec ${codec}`}. Leave the option out.`,
    );
  if (isUri(uri))
    throw new HourglassError(
      'OPTION_INVALID',
      `data/export: partitionBy writes to a folder of this machine, found ${uri}. Write one object, or a folder that is synchronised.`,
    );
}
