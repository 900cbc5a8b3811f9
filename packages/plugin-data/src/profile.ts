import { compact, type StageOptions } from '@hourglass/core';
import {
  chooseColumns,
  columnRanges,
  openDataset,
  sampleRows,
  type Column,
  type DatasetReader,
} from '@hourglass/dataset';
import { columnDrift, columnReference, driftVerdict, type ColumnDrift } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import type { profile } from './profile-manifest.ts';

/** Columns whose distributions are in memory at a time. */
const AT_ONCE = 8;
/** Names told of, of each kind. */
const TOLD = 100;

export const run: StageRun<typeof profile> = async (context, { data, reference }, options) => {
  const now = await openDataset(context.artifacts, data);
  if (reference === undefined) {
    chooseColumns(now.columns, options, 'data/profile');
    const reason = 'there is nothing to compare with yet';
    return {
      metrics: {
        ...driftVerdict([], options), drifted: true, reason, columns: {}, rows: now.rows, referenceRows: 0, compared: 0,
        missingColumns: [], newColumns: [], typeChanges: [], sampled: false,
      },
    }; // prettier-ignore
  }
  const then = await openDataset(context.artifacts, reference);
  const schema = compareSchemas(then, now, options);
  const { common } = schema;
  const names = common.map(({ name }) => name);
  const [ranges, before] = [
    await columnRanges(context.artifacts, data, names),
    await columnRanges(context.artifacts, reference, names),
  ];
  const found: [string, ColumnDrift][] = [];
  const alike = common.filter(({ type, before }) => hasDistribution(type) && numberOr(type) === numberOr(before));
  for (let from = 0; from < alike.length; from += AT_ONCE) {
    context.signal.throwIfAborted();
    context.progress(from / alike.length, `comparing ${alike[from]!.name}`);
    const some = alike.slice(from, from + AT_ONCE).map(({ name }) => name);
    const old = await sampleRows(then, some, options.maxRows);
    const fresh = await sampleRows(now, some, options.maxRows);
    for (const name of some) found.push([name, columnDrift(columnReference(old.columns[name]!), fresh.columns[name]!)]);
  }
  const share = (missing: number, rows: number): number => (rows === 0 ? 0 : missing / rows);
  const drift = common.map(({ name }): [string, ColumnDrift] => [
    name,
    {
      ...(found.find(([of]) => of === name)?.[1] ?? { psi: 0, ks: 0, unseen: 0 }),
      missing: share(ranges[name]!.missing, now.rows) - share(before[name]!.missing, then.rows),
    },
  ]);
  const verdict = driftVerdict(drift, options);
  const reasons = [...schema.reasons, ...(verdict.drifted ? [verdict.reason] : [])];
  const reason = reasons.length > 0 ? reasons.join('; ') : verdict.reason;
  context.log.info(reason);
  return {
    metrics: {
      ...verdict,
      drifted: reasons.length > 0,
      reason,
      columns: Object.fromEntries(
        Object.entries(verdict.columns).map(([name, column]) => {
          const { min, max } = ranges[name]!;
          return [
            name,
            { ...column, ...compact({ min, max, referenceMin: before[name]!.min, referenceMax: before[name]!.max }) },
          ];
        }),
      ),
      rows: now.rows,
      referenceRows: then.rows,
      compared: common.length,
      missingColumns: schema.missing.slice(0, TOLD),
      newColumns: schema.added.slice(0, TOLD),
      typeChanges: schema.changes.slice(0, TOLD),
      sampled: Math.max(now.rows, then.rows) > options.maxRows,
    },
  };
};

/** Points in time move on by nature; lists and bytes have no distribution to compare. */
const hasDistribution = (type: Column['type']): boolean => !['date', 'timestamp', 'vector', 'other'].includes(type);

/** Whole numbers and fractions can be compared with each other. */
const numberOr = (type: Column['type']): string => (type === 'integer' ? 'float' : type);

/** Columns gone, new and of another type. Whole numbers that became fractions are another type; a wider integer is not. */
function compareSchemas(
  then: DatasetReader,
  now: DatasetReader,
  options: StageOptions<typeof profile>,
): {
  common: (Column & { before: Column['type'] })[];
  missing: string[];
  added: string[];
  changes: { column: string; from: string; to: string }[];
  reasons: string[];
} {
  const wanted = new Set(
    chooseColumns([...now.columns, ...then.columns.filter(isNew(now))], options, 'data/profile').map(
      ({ name }) => name,
    ),
  );
  const before = new Map(then.columns.map((column) => [column.name, column]));
  const common = now.columns
    .filter(({ name }) => wanted.has(name) && before.has(name))
    .map((column) => ({ ...column, before: before.get(column.name)!.type }));
  const missing = then.columns.filter(isNew(now)).flatMap(({ name }) => (wanted.has(name) ? [name] : []));
  const added = now.columns.filter(isNew(then)).flatMap(({ name }) => (wanted.has(name) ? [name] : []));
  const changes = common
    .filter((column) => column.type !== column.before)
    .map(({ name, physical }) => ({ column: name, from: before.get(name)!.physical, to: physical }));
  const list = (names: string[]): string =>
    `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
  const reasons = [
    ...(missing.length > 0 ? [`gone: ${list(missing)}`] : []),
    ...(added.length > 0 && !options.ignoreNewColumns ? [`new: ${list(added)}`] : []),
    ...(changes.length > 0 ? [list(changes.map(({ column, from, to }) => `${column}: ${from} became ${to}`))] : []),
  ];
  return { common, missing, added, changes, reasons };
}

const isNew =
  (other: DatasetReader) =>
  ({ name }: Column): boolean =>
    !other.columns.some((column) => column.name === name);
