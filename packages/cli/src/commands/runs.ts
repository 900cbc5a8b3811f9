import type { RunHeader } from '@hourglass/runtime';
import { listRuns, readRun } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { openStoreFor } from '../open-store.ts';
import { formatDuration, formatWhen } from '../output/format.ts';
import { scalarsOf } from '@hourglass/runtime';
import { formatNumber } from '../output/format.ts';
import { stageRows } from '@hourglass/runtime';
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
  options: RunsOptions & { limit: number; pipeline?: string },
): Promise<void> {
  const store = await openStoreFor(context, options);
  const all = (await listRuns(store)).filter(({ pipeline }) => !options.pipeline || pipeline === options.pipeline);
  const shown = all.slice(0, options.limit);
  const { stdout, colors: c } = context;
  if (options.json) {
    stdout.write(`${JSON.stringify(shown.map(({ source: _, ...header }) => header))}\n`);
    return;
  }
  if (all.length === 0) {
    stdout.write(
      `No runs${options.pipeline ? ` of ${options.pipeline}` : ''} in ${store.location}. Start one: hourglass run FILE\n`,
    );
    return;
  }
  const paint = {
    succeeded: c.green,
    failed: c.red,
    cancelled: c.yellow,
    interrupted: c.yellow,
    waiting: c.yellow,
    running: c.cyan,
  };
  const metrics = await Promise.all(shown.map((header) => keyMetrics(store, header)));
  const rows = shown.map(({ id, pipeline, status, startedAt, finishedAt }, i) => [
    id,
    paint[status](status),
    formatWhen(Date.parse(startedAt), Date.now()),
    finishedAt ? formatDuration(Date.parse(finishedAt) - Date.parse(startedAt)) : '',
    id.includes(pipeline) ? '' : pipeline,
    metrics[i]!,
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
  if (all.length > shown.length) stdout.write(c.dim(`${all.length - shown.length} older with --limit ${all.length}\n`));
}

/** Numbers that gates and selections read; else those of the last stage that has some. At most three. */
async function keyMetrics(store: Store, header: RunHeader): Promise<string> {
  try {
    const { plan, state } = await readRun(store, header.id);
    const found = await readMetrics(store, stageRows(plan, state));
    const compared = found.filter(({ value }) => typeof value === 'object' && value !== null && 'baselines' in value);
    const numbers = Object.entries(scalarsOf((compared.at(-1) ?? found.at(-1))?.value));
    return numbers
      .slice(0, 3)
      .map(([name, value]) => `${name} ${formatNumber(value ?? NaN)}`)
      .join(' · ');
  } catch {
    // A record torn by a crash: the list still shows that the run was there.
    return '';
  }
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
