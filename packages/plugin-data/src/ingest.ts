import {
  checkContract,
  emptyQuarantine,
  ingest as ingestSource,
  ingestWithQuarantine,
  profileDataset,
  type DatasetProfile,
  type Quarantined,
} from '@hourglass/dataset';
import type { StageOptions } from '@hourglass/core';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { fitProfile } from './fit-profile.ts';
import type { ingest } from './ingest-manifest.ts';

/** Copies the source into the store, then checks and profiles what was copied, so that all three agree. */
export const run: StageRun<typeof ingest> = async (context, _inputs, options) => {
  context.progress(0, `reading ${options.uri}`);
  const { data, quarantined, broken } = await read(context, options);
  context.signal.throwIfAborted();
  const profile: DatasetProfile = options.profile
    ? await profileDataset(context.artifacts, data, {
        signal: context.signal,
        onColumn: (done, of) => context.progress(0.5 + (0.5 * done) / of, `profiling column ${done} of ${of}`),
      })
    : { rows: data.rows ?? 0, columns: {} };
  warnOfUseless(context, profile);
  const fitted = fitProfile(profile);
  if (fitted !== profile)
    context.log.info('the profile holds no quantiles and frequent values: the table is too wide for them');
  const aside = quarantined.rows ?? 0;
  const share = aside / (aside + profile.rows);
  if (aside > 0)
    context.log.warn(
      `${aside} rows are quarantined: ${Object.entries(broken)
        .map(([rule, rows]) => `${rule} ${rows}`)
        .join(', ')}`,
    );
  return { data, quarantined, profile: { ...fitted, quarantined: { rows: aside, share, rules: broken } } };
};

async function read(context: StageContext, options: StageOptions<typeof ingest>): Promise<Quarantined> {
  const { contract = {}, onViolation, quarantineLimit, profile: _, ...source } = options;
  const reading = {
    ...source,
    seed: context.seed,
    onNotice: (notice: string) => context.log.info(notice),
    onFetch: (message: string) => context.progress(0, message),
  };
  const store = context.artifacts;
  if (onViolation === 'quarantine')
    return ingestWithQuarantine(store, { ...reading, contract, limit: quarantineLimit });
  const data = await ingestSource(store, reading);
  context.progress(0.5, 'checking the contract');
  await checkContract(store, data, contract, `Contract of ${options.uri}`);
  return { data, quarantined: await emptyQuarantine(store, data), broken: {} };
}

/** Columns that can teach a model nothing, by name. */
function warnOfUseless({ log }: StageContext, { rows, columns }: DatasetProfile): void {
  const named = (test: (column: DatasetProfile['columns'][string]) => boolean): string[] =>
    Object.entries(columns).flatMap(([name, column]) => (test(column) ? [name] : []));
  const list = (names: string[]): string =>
    names
      .slice(0, 8)
      .map((name) => `"${name}"`)
      .join(', ') + (names.length > 8 ? `, … (${names.length})` : '');
  const missing = named((column) => column.missing === rows);
  const constant = named((column) => column.distinct === 1 && column.missing === 0 && rows > 1);
  const infinite = named((column) => (column.infinite ?? 0) > 0);
  if (missing.length > 0) log.warn(`every cell is missing in ${list(missing)}`);
  if (constant.length > 0) log.warn(`all rows hold the same value in ${list(constant)}`);
  if (infinite.length > 0) log.warn(`there are infinite cells in ${list(infinite)}: training refuses them`);
}
