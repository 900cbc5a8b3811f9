import { numbersByKey, scalarsOf } from '@hourglass/runtime';
import { isProfile } from './profile-section.ts';
import type { RunReport } from './run-report.ts';

/** Values of one thing over the runs compared, in their order; undefined where a run has none. */
export interface Compared<T> {
  name: string;
  values: (T | undefined)[];
}

/** What differs between runs, and their metrics side by side. */
export interface Comparison {
  runs: { id: string; pipeline: string; status: string; took?: number }[];
  /** Params, seed, engine and options of stages that are not the same in all runs. */
  differences: Compared<string>[];
  metrics: Compared<number>[];
}

/** Runs of different pipelines can be compared too: what one has not stays empty. */
export function compareRuns(reports: readonly RunReport[]): Comparison {
  const settings = reports.map(settingsOf);
  const metrics = reports.map(metricsOf);
  return {
    runs: reports.map(({ run }) => ({
      id: run.id,
      pipeline: run.pipeline,
      status: run.status,
      ...(run.took === undefined ? {} : { took: run.took }),
    })),
    differences: sideBySide(settings).filter(({ values }) => new Set(values).size > 1),
    metrics: sideBySide(metrics),
  };
}

function settingsOf({ run, stages }: RunReport): Record<string, string> {
  return Object.fromEntries(
    [
      ['pipeline', run.pipeline],
      ['seed', run.seed],
      ['engine', run.engine.class ?? run.engine.asked],
      ...Object.entries(run.params).map(([name, value]) => [`params.${name}`, value]),
      ...Object.entries(run.names).map(([name, { version }]) => [`named ${name}`, `@${version}`]),
      ...stages.flatMap(({ path, uses, options, made }) => [
        [`${path}`, uses],
        ...Object.entries(options).map(([name, value]) => [`${path}.${name}`, value]),
        ...Object.entries(made?.sources ?? {}).map(([uri, digest]) => [`${path} reads ${uri}`, digest.slice(0, 12)]),
      ]),
    ].map(([name, value]) => [String(name), typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

function metricsOf({ metrics }: RunReport): Record<string, number> {
  return Object.fromEntries(
    metrics
      .filter(({ value }) => !isProfile(value))
      .flatMap(({ path, output, value }) => {
        const place = `${path}${output === 'metrics' ? '' : `.${output}`}`;
        const items = Object.entries(numbersByKey(value)).map(
          ([key, numbers]) => [`${place}[${key}]`, numbers] as const,
        );
        return [[place, scalarsOf(value)] as const, ...items].flatMap(([of, numbers]) =>
          Object.entries(numbers).flatMap(([name, number]) => (number === null ? [] : [[`${of}.${name}`, number]])),
        );
      }),
  ) as Record<string, number>;
}

function sideBySide<T>(records: readonly Record<string, T>[]): Compared<T>[] {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return names.map((name) => ({ name, values: records.map((record) => record[name]) }));
}
