import { didYouMean } from '@hourglass/core';
import type { MetricNumbers, RunHeader } from '@hourglass/runtime';
import { listRuns, readRun, stageRows } from '@hourglass/runtime';
import type { RunChoice } from '../choose-runs.ts';
import { filterRuns, keyNumbers, sortRuns, sortsByMetric } from '../choose-runs.ts';
import type { CliContext } from '../context.ts';
import { openStoreFor } from '../open-store.ts';
import { formatDuration, formatNumber, formatWhen, plural } from '../output/format.ts';
import { writeSummary } from '../output/summary.ts';
import { formatTable } from '../output/table.ts';
import { readMetrics } from '../run-facts.ts';
import type { Store } from '@hourglass/artifacts';

interface RunsOptions {
  store?: string;
  json?: boolean;
}

/** `hourglass runs` */
export async function listAll(
  context: CliContext,
  options: RunsOptions & RunChoice & { limit: number },
): Promise<void> {
  const store = await openStoreFor(context, options);
  const known = await listRuns(store);
  const found = filterRuns(known, options, Date.now());
  // Metrics are read of the runs to show, or of all where they decide which those are.
  const metric = sortsByMetric(options.sort) ? options.sort : undefined;
  const metrics = new Map<string, MetricNumbers>();
  const read = async (runs: readonly RunHeader[]): Promise<void> => {
    await Promise.all(
      runs.map(async (run) => metrics.has(run.id) || metrics.set(run.id, await keyMetrics(store, run, options.sort))),
    );
  };
  if (metric !== undefined) await read(found);
  const shown = sortRuns(found, options, metrics).slice(0, options.limit);
  const { stdout, colors: c } = context;
  if (options.json) {
    stdout.write(`${JSON.stringify(shown.map(({ source: _, ...header }) => header))}\n`);
    return;
  }
  if (found.length === 0) {
    const { pipeline } = options;
    const near = pipeline && didYouMean(pipeline, [...new Set(known.map((run) => run.pipeline))]);
    if (known.length === 0) stdout.write(`No runs in ${store.location}. Start one: hourglass run FILE\n`);
    else if (pipeline && !known.some((run) => run.pipeline === pipeline))
      stdout.write(`No runs of ${pipeline} in ${store.location}.${near ? ` Did you mean ${near}?` : ''}\n`);
    else stdout.write(`None of ${plural(known.length, 'run')} in ${store.location} is so.\n`);
    return;
  }
  await read(shown);
  const paint = {
    succeeded: c.green,
    failed: c.red,
    cancelled: c.yellow,
    interrupted: c.yellow,
    waiting: c.yellow,
    running: c.cyan,
  };
  const rows = shown.map(({ id, pipeline, status, startedAt, finishedAt }) => [
    id,
    paint[status](status),
    formatWhen(Date.parse(startedAt), Date.now()),
    finishedAt ? formatDuration(Date.parse(finishedAt) - Date.parse(startedAt)) : '',
    id.includes(pipeline) ? '' : pipeline,
    metricsText(metrics.get(id)!, metric),
  ]);
  const columns = [
    { title: 'RUN' },
    { title: 'STATE' },
    { title: 'WHEN' },
    { title: 'TIME', align: 'right' as const },
    { title: 'PIPELINE' },
    { title: 'METRICS', shrink: true, minimum: 10 },
  ];
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
  if (found.length > shown.length)
    stdout.write(c.dim(`${found.length - shown.length} more with --limit ${found.length}\n`));
}

async function keyMetrics(store: Store, header: RunHeader, sort: string | undefined): Promise<MetricNumbers> {
  try {
    const { plan, state } = await readRun(store, header.id);
    const found = await readMetrics(store, stageRows(plan, state));
    return keyNumbers(
      found.map(({ value }) => value),
      plan.stages.flatMap(({ gate }) => gate ?? []),
      sort,
    );
  } catch {
    // A record torn by a crash: the list still shows that the run was there.
    return {};
  }
}

/** At most three, the one that was sorted by in front. */
function metricsText(numbers: MetricNumbers, first?: string): string {
  const names = Object.keys(numbers);
  const order =
    first !== undefined && Object.hasOwn(numbers, first) ? [first, ...names.filter((name) => name !== first)] : names;
  return order
    .slice(0, 3)
    .map((name) => `${name} ${formatNumber(numbers[name] ?? NaN)}`)
    .join(' · ');
}

/** `hourglass runs show ID` */
export async function show(context: CliContext, id: string | undefined, options: RunsOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const record = await readRun(store, id ?? 'latest');
  const { stdout, colors: c } = context;
  if (options.json) {
    const metrics = await readMetrics(store, stageRows(record.plan, record.state));
    stdout.write(`${JSON.stringify({ ...record, metrics })}\n`);
    return;
  }
  stdout.write(`${c.bold(record.pipeline)}${record.title ? `  ${record.title}` : ''}\n`);
  const facts: [string, string][] = [
    [
      'run',
      record.id + (record.resumed ? `, continued ${record.resumed === 1 ? 'once' : `${record.resumed} times`}` : ''),
    ],
    ['started', formatWhen(Date.parse(record.startedAt), Date.now())],
    ['file', record.source?.file ?? ''],
    [
      'params',
      Object.entries(record.params)
        .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
        .join(', '),
    ],
    [
      'names',
      Object.entries(record.names)
        .map(([name, { version }]) => `${name} = @${version}`)
        .join(', '),
    ],
    ['engine', record.engine.class ? `${record.engine.class} (asked for: ${record.engine.asked})` : ''],
  ];
  for (const [name, value] of facts) if (value) stdout.write(`  ${c.dim(name.padEnd(8))} ${value}\n`);
  await writeSummary({ context, store, record, seen: false });
}
