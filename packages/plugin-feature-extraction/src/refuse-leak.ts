import type { Model } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ColumnData, Table, VectorData } from '@hourglass/dataset';
import type { Logger } from '@hourglass/plugin-kit';

const STAGE = 'feature-extraction/evaluate';
/** Equal rows beyond this share are no coincidence. */
const LEAK = 0.5;

/**
 * The encoder must not have seen the test rows: it must have learned from `train`, and `test` must not be rows of it.
 * @returns share of test rows equal to a training row in the columns given
 * @throws INPUT_INVALID saying what leaked
 */
export function refuseLeak(
  log: Logger,
  model: Model,
  refs: { train: ArtifactRef; test: ArtifactRef },
  tables: { train: Table; test: Table },
  columns: string[],
): number {
  const { trainedOn } = model.description.options as { trainedOn?: string };
  if (refs.train.digest === refs.test.digest || trainedOn === refs.test.digest)
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: the encoder has learned from the very rows of \`test\`: a score on them would be a leak; put rows aside by data/split before feature-extraction/train`,
    );
  if (trainedOn !== refs.train.digest)
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: the encoder learned from table ${trainedOn?.slice(0, 12) ?? '(unknown)'}, \`train\` is ${refs.train.digest.slice(0, 12)}: it may have seen rows of \`test\`; connect as \`train\` the table that feature-extraction/train got`,
    );
  const keys = (table: Table): string[] => {
    const cells = columns.map((name) => cellsOf(table.columns[name] ?? table.vectors![name]!));
    return Array.from({ length: table.rows }, (_, i) => cells.map((column) => column(i)).join('\u0000'));
  };
  const known = new Set(keys(tables.train));
  const equal = keys(tables.test).filter((key) => known.has(key)).length;
  const share = equal / Math.max(1, tables.test.rows);
  if (share > LEAK)
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: ${(100 * share).toFixed(0)} % of the test rows are rows the encoder learned from: a score on them would be a leak; put rows aside by data/split before feature-extraction/train`,
    );
  if (share > 0)
    log.info(`${(100 * share).toFixed(1)} % of the test rows equal a training row; that many may do so by chance`);
  return share;
}

const cellsOf = (data: ColumnData | VectorData): ((row: number) => string) =>
  !('kind' in data)
    ? (row) => data.values.subarray(row * data.length, (row + 1) * data.length).join(' ')
    : data.kind === 'numeric'
      ? (row) => String(data.values[row])
      : (row) => (data.codes[row]! < 0 ? '' : data.categories[data.codes[row]!]!);
