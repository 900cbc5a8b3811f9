import { cacheKey, type Store } from '@hourglass/artifacts';
import type { ArtifactRef, Json, StagePlan } from '@hourglass/core';
import { stageRows, UNDER_WAY, type RunRecord, type StageRow } from '@hourglass/runtime';
import { readFigures } from './read-figures.ts';
import type { CurvePoint, ReportStage, RunReport, StageMetrics, TrainingCurve } from './run-report.ts';

/** Figures beyond this many are named, not shown, so that a report stays a file one can send. */
const MOST_FIGURES = 60;

/** Gathers what is known of a run. What was collected from the store since is left out. */
export async function collectReport(store: Store, record: RunRecord): Promise<RunReport> {
  const { plan, state, occasions, warnings, source, identity: _, ...header } = record;
  const rows = stageRows(plan, state);
  const plans = plansByPath(plan.stages, '');
  const stages = await Promise.all(rows.map((row) => stageOf(store, record, row, plans.get(row.path))));
  const refs = rows.flatMap((row) =>
    Object.entries(row.outputs).flatMap(([output, ref]) =>
      (Array.isArray(ref) ? ref : [ref]).map((one) => ({ path: row.path, output, ref: one })),
    ),
  );
  const of = (kind: ArtifactRef['kind']) => refs.filter(({ ref }) => ref.kind === kind);
  const figures = await Promise.all(of('figures').map(({ path, ref }) => readFigures(store.artifacts, path, ref)));
  return {
    run: {
      ...header,
      ...(record.finishedAt ? { took: Date.parse(record.finishedAt) - Date.parse(record.startedAt) } : {}),
    },
    stages,
    metrics: (await Promise.all(of('metrics').map((entry) => metricsOf(store, entry)))).flat(),
    curves: (await Promise.all(of('model').map((entry) => curveOf(store, entry)))).flat(),
    figures: figures.flat().slice(0, MOST_FIGURES),
    files: Object.values(occasions).flatMap(({ sinks }) => sinks ?? []),
    published: Object.entries(state.published).map(([name, { ref, version }]) => ({
      name,
      ...(version === undefined ? {} : { version }),
      digest: ref.digest,
    })),
    warnings,
    ...(source ? { source } : {}),
  };
}

function plansByPath(stages: readonly StagePlan[], prefix: string): Map<string, StagePlan> {
  return new Map(
    stages.flatMap((stage): [string, StagePlan][] => [
      [prefix + stage.id, stage],
      ...plansByPath(stage.group?.stages ?? [], `${prefix}${stage.id}.`),
    ]),
  );
}

async function stageOf(
  store: Store,
  record: RunRecord,
  row: StageRow,
  plan: StagePlan | undefined,
): Promise<ReportStage> {
  const fan = stateOf(record, row.path)?.fan;
  const made = await madeOf(store, record.pipeline, row);
  return {
    ...row,
    status: record.status === 'interrupted' && UNDER_WAY.has(row.status) ? 'stopped' : row.status,
    options: { ...plan?.options, ...record.state.overrides[row.path] } as Record<string, Json>,
    inputs: plan?.inputs ?? {},
    ...(record.occasions[row.path]?.engine ? { engine: record.occasions[row.path]!.engine } : {}),
    ...(row.startedAt !== undefined && row.finishedAt !== undefined ? { took: row.finishedAt - row.startedAt } : {}),
    ...(made ? { made } : {}),
    failures: fan?.errors ?? [],
    points: (fan?.points ?? []).map(({ key, status, score }) => ({
      key,
      status,
      ...(score === undefined ? {} : { score }),
      selected: key === fan?.selected,
    })),
  };
}

function stateOf(record: RunRecord, path: string) {
  const [first, ...inner] = path.split('.');
  let found = record.state.stages[first!];
  for (const id of inner) found = found?.body?.stages?.[id];
  return found;
}

/** The place's last key parts, if they are what gave these very outputs. */
async function madeOf(store: Store, pipeline: string, row: StageRow): Promise<ReportStage['made']> {
  const parts = await store.cache.last(pipeline, row.path).catch(() => undefined);
  if (parts === undefined) return undefined;
  const outputs = (await store.cache.get(cacheKey(parts)).catch(() => undefined))?.result.outputs;
  if (!outputs || JSON.stringify(digests(outputs)) !== JSON.stringify(digests(row.outputs))) return undefined;
  const { version, seed, libraries, sources } = parts;
  return { version, seed, libraries, sources };
}

const digests = (outputs: Record<string, ArtifactRef | ArtifactRef[]>): unknown =>
  Object.entries(outputs)
    .map(([name, ref]) => [name, Array.isArray(ref) ? ref.map(({ digest }) => digest) : ref.digest])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));

interface Entry {
  path: string;
  output: string;
  ref: ArtifactRef;
}

async function metricsOf(store: Store, { path, output, ref }: Entry): Promise<StageMetrics[]> {
  try {
    return [{ path, output, value: (await store.artifacts.get(ref, 'metrics')).meta.value }];
  } catch {
    return [];
  }
}

async function curveOf(store: Store, { path, ref }: Entry): Promise<TrainingCurve[]> {
  const curves = (await store.artifacts.annotation(ref.digest).catch(() => undefined))?.['curves'];
  if (!Array.isArray(curves)) return [];
  const members = curves.filter((curve): curve is CurvePoint[] => Array.isArray(curve) && curve.length > 1);
  return members.length > 0 ? [{ path, members }] : [];
}
