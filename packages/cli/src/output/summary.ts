import { relative } from 'node:path';
import type { Store } from '@hourglass/artifacts';
import type { ErrorJson, RunState } from '@hourglass/core';
import { remedyOf } from '@hourglass/core';
import { baselinesOf, type RunRecord, stageRows, type StageRow, UNDER_WAY } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { lookAtFile, readMetrics, type WrittenFile } from '../run-facts.ts';
import { formatBytes, formatDuration, plural } from './format.ts';
import { causesOf } from './causes.ts';
import { failedItems, itemTable, sweepTable } from './fan-sections.ts';
import { insideRows } from './inside-rows.ts';
import { comparisonTable, scalarLine } from './metrics-table.ts';
import { newsFilter } from './news.ts';
import { fanText, markOf, nameOf } from './stage-line.ts';
import { formatTable } from './table.ts';
import { pad, textWidth, wrap } from './text-width.ts';

export interface SummaryFacts {
  context: CliContext;
  store: Store;
  record: RunRecord;
  /** How to continue, as one would type it. */
  again?: string;
  exitCode?: number;
}

/**
 * What came of a run, worth reading: stages, metrics beside their baselines, gates, files, what to do next.
 * `seen`: stages and warnings stand on the screen already.
 */
export async function writeSummary(facts: SummaryFacts & { seen: boolean }): Promise<void> {
  const { context, record, seen } = facts;
  const { stdout, colors: c } = context;
  const width = Math.min(stdout.columns ?? 100, 120) - 1;
  const rows = stageRows(record.plan, record.state);
  const metrics = await readMetrics(facts.store, rows);
  const out: string[] = [''];

  if (!seen) out.push(...stageTable(rows, record, c, width), '');
  const warnings = (seen ? [] : record.warnings.filter(newsFilter())).map(
    ({ path, message }) => ` ${c.yellow('!')} ${c.bold(path)}  ${message}`,
  );
  const failures = failedItems(record, context, width);
  if (warnings.length || failures.length) out.push(...warnings, ...failures, '');

  for (const stage of record.plan.stages) {
    const points = sweepTable(stage, record.state, c, width);
    if (points.length) out.push(...points, '');
  }
  const collected = new Set(record.plan.stages.filter(({ fanOut }) => fanOut?.kind === 'forEach').map(({ id }) => id));
  const named: [string, string][] = [];
  for (const { path, value } of metrics) {
    const table = collected.has(path)
      ? itemTable(path, value, c, width)
      : Object.keys(baselinesOf(value)).length > 0
        ? comparisonTable(path, value, c, width)
        : [];
    if (table.length) out.push(...table, '');
    else if (scalarLine(value)) named.push([path, scalarLine(value)]);
  }
  if (named.length) out.push(...scalarLines(named, width), '');

  const gates = rows.filter((row) => row.gate);
  for (const { path, gate } of gates) {
    const verdict = `gate of ${c.bold(path)} ${gate!.passed ? 'passed' : 'failed'}: ${gate!.compared ?? gate!.expression}`;
    out.push(`  ${gate!.passed ? c.green('✓') : c.red('✗')} ${wrap(verdict, width - 6).join('\n      ')}`);
  }
  if (gates.length) out.push('');

  const files = await writtenFiles(record);
  for (const file of files) out.push(fileLine(file, context));
  for (const [name, { version }] of Object.entries(record.state.published))
    if (version !== undefined) out.push(`  published ${c.bold(name)}@${version}`);
  if (files.length || Object.keys(record.state.published).length) out.push('');

  const failed = rows.filter(({ status }) => status === 'failed' || status === 'held');
  for (const row of failed) out.push(...failure(row, context, width), '');
  out.push(...verdict(facts, rows, width));
  stdout.write(`${out.join('\n')}\n`);
}

/** The last line of `--json`. */
export async function writeJsonSummary({ context, store, record, exitCode }: SummaryFacts): Promise<void> {
  const rows = stageRows(record.plan, record.state);
  const { id, status, startedAt, finishedAt, params, seed, engine, error, warnings } = record;
  const result = {
    type: 'result',
    runId: id,
    status,
    exitCode,
    startedAt,
    finishedAt,
    params,
    seed,
    engine,
    error,
    warnings,
    stages: rows.map(({ path, uses, status: state, reason, note, gate, outputs, startedAt: from, finishedAt: to }) => ({
      path,
      uses,
      status: state,
      reason,
      note,
      gate,
      outputs,
      startedAt: from,
      finishedAt: to,
    })),
    metrics: await readMetrics(store, rows),
    files: await writtenFiles(record),
    published: record.state.published,
  };
  context.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Stages and their numbers, continued under themselves where they are many. */
function scalarLines(named: readonly [string, string][], width: number): string[] {
  const names = Math.max(...named.map(([path]) => textWidth(path)));
  return named.flatMap(([path, line]) =>
    wrap(line, Math.max(30, width - names - 4)).map((part, i) => `  ${pad(i === 0 ? path : '', names)}  ${part}`),
  );
}

function stageTable(rows: StageRow[], record: RunRecord, c: CliContext['colors'], width: number): string[] {
  const stopped = record.status === 'interrupted';
  const cells = rows.flatMap((row, i) => [
    [
      `${stopped && UNDER_WAY.has(row.status) ? c.yellow('■') : markOf(row, c)} ${'  '.repeat(row.depth)}${nameOf(row)}`,
      row.status === 'refused' ? 'gate failed' : stopped && UNDER_WAY.has(row.status) ? 'stopped' : row.status,
      row.status === 'cached' || row.startedAt === undefined || row.finishedAt === undefined
        ? ''
        : formatDuration(row.finishedAt - row.startedAt),
      engineOf(record, row),
      // What a sweep's note says beyond its counts stands in its table of points.
      [
        fanText(row),
        row.status === 'done' ? row.reason : row.status === 'cached' || row.fan ? '' : row.note,
        row.attempt > 1 ? `${row.attempt} attempts` : '',
      ]
        .filter(Boolean)
        .join(' · '),
    ],
    // Stages of a group that is still open have rows of their own.
    ...(rows[i + 1]?.path.startsWith(`${row.path}.`) ? [] : insideRows(record, row.path)).map((inside) => [
      c.dim(`${inside.runs > 0 ? '·' : '≡'} ${'  '.repeat(inside.depth)}${inside.path.split('.').at(-1)}`),
      c.dim(inside.runs > 0 ? plural(inside.runs, 'run') : 'cached'),
      inside.runs > 0 ? c.dim(formatDuration(inside.time)) : '',
      c.dim(inside.engine ?? ''),
      inside.runs > 0 && inside.cached > 0 ? c.dim(`${inside.cached} more cached`) : '',
    ]),
  ]);
  const columns = [
    { title: '  STAGE' },
    { title: '' },
    { title: 'TIME', align: 'right' as const },
    { title: 'ENGINE' },
    { title: 'WHY', shrink: true, minimum: 16 },
  ];
  return formatTable(columns, cells, { width, indent: ' ', header: c.dim });
}

const engineOf = (record: RunRecord, { path }: StageRow): string => record.occasions[path]?.engine ?? '';

/** Message and remedy of a stage's failure; with `--debug` what lies behind it. */
function failure(row: StageRow, { colors: c, debug }: CliContext, width: number): string[] {
  const error: ErrorJson = row.error ?? { code: 'INTERNAL', message: 'no reason is known' };
  const tried = row.attempt > 1 ? ` after ${row.attempt} attempts` : '';
  const message = error.message
    .split('\n')
    .flatMap((line) => wrap(line, width - 4))
    .map((line) => `    ${line}`);
  return [
    `  ${c.red('✗')} ${c.bold(row.path)} failed${tried}: ${c.bold(error.code)}`,
    ...message,
    `    ${c.cyan('→')} ${remedyOf(error)}`,
    ...(debug ? causesOf(error).map((line) => c.dim(`    ${line}`)) : []),
  ];
}

function verdict({ context, record, ...facts }: SummaryFacts, rows: StageRow[], width: number): string[] {
  const { colors: c } = context;
  const again = facts.again ?? record.source?.command ?? `hourglass retry ${record.id}`;
  const took = record.finishedAt ? formatDuration(Date.parse(record.finishedAt) - Date.parse(record.startedAt)) : '';
  const hits = rows.filter(({ status }) => status === 'cached').length;
  const cached = hits === rows.length ? 'all stages cached' : `${plural(rows.length, 'stage')}, ${hits} cached`;
  const engine = record.engine.name
    ? `engine ${record.engine.name}${record.engine.asked === 'auto' ? ' (auto)' : ''}`
    : '';
  const tail = c.dim(['run ' + record.id, engine, `seed ${record.seed}`].filter(Boolean).join(' · '));
  const time = record.resumed ? '' : ` in ${took}`;
  /** What to call for those that wait for a person. */
  const toAnswer = (then: string): string[] => [
    ...rows
      .filter(({ status }) => status === 'approval')
      .map(({ path }) => `   ${c.cyan('→')} hourglass approve ${record.id} ${path}   (or reject)${then}`),
    ...rows
      .filter(({ status }) => status === 'held')
      .map(
        ({ path }) =>
          `   ${c.cyan('→')} hourglass retry ${record.id} --with ${path}.OPTION=VALUE   (or --skip ${path})`,
      ),
  ];
  switch (record.status) {
    case 'succeeded':
      return [` ${c.green('✓')} ${c.bold(record.pipeline)} succeeded${time}, ${cached}`, `   ${tail}`];
    case 'interrupted':
      return [
        ` ${c.yellow('■')} ${c.bold(record.pipeline)} was interrupted; finished stages and checkpoints are kept`,
        `   ${c.cyan('→')} continue: ${again}`,
        `   ${tail}`,
      ];
    case 'running': {
      const asks = rows.some(({ status }) => status === 'approval' || status === 'held');
      const { paused } = record.state;
      const says = [
        ...(asks ? [`waits for a person: ${waitingFor(rows)}`] : []),
        ...(paused ? ['is paused: no further stage is started'] : []),
      ];
      return [
        ` ${asks ? c.yellow('?') : paused ? c.yellow('■') : c.cyan('▸')} ${c.bold(record.pipeline)} ${says.join('; ') || 'is under way'}`,
        ...toAnswer(''),
        ...(paused ? [`   ${c.cyan('→')} hourglass resume ${record.id}`] : []),
        `   ${tail}`,
      ];
    }
    case 'waiting':
      return [
        ` ${c.yellow('?')} ${c.bold(record.pipeline)} waits for a person: ${waitingFor(rows)}`,
        ...toAnswer(`, then continue: ${again}`),
        `   ${tail}`,
      ];
    default: {
      const gate = record.error?.code === 'GATE_FAILED';
      const kept = gate ? 'outputs up to there are kept' : 'what finished is kept';
      const next =
        gate || record.status === 'cancelled'
          ? []
          : [`   ${c.cyan('→')} mend it and run again, or: hourglass retry ${record.id} --with STAGE.OPTION=VALUE`];
      const why = gate ? ': a gate said no' : record.error?.code === 'APPROVAL_REJECTED' ? ': a person said no' : '';
      const unnamed =
        record.error && !record.error.path && !rows.some(({ error }) => error)
          ? wrap(record.error.message, width - 4).map((line) => `   ${line}`)
          : [];
      return [
        ` ${c.red('✗')} ${c.bold(record.pipeline)} ${record.status}${time}${why}; ${kept}`,
        ...unnamed,
        ...next,
        `   ${tail}`,
      ];
    }
  }
}

const waitingFor = (rows: StageRow[]): string =>
  rows
    .filter(({ status }) => status === 'approval' || status === 'held')
    .map(({ path }) => path)
    .join(', ');

/** Files the run wrote, or found as it would have written them. */
async function writtenFiles(record: RunRecord): Promise<WrittenFile[]> {
  const found = new Map<string, number | undefined>();
  for (const occasion of Object.values(record.occasions))
    for (const sink of occasion.sinks ?? []) found.set(sink.path, rowsWritten(record, occasion.path));
  return Promise.all([...found].map(([path, rows]) => lookAtFile(path, rows)));
}

/** Rows of the one dataset a stage got, when its input is a plain reference to another stage's output. */
function rowsWritten({ plan, state }: RunRecord, path: string): number | undefined {
  const stage = plan.stages.find(({ id }) => id === path);
  const refs = Object.values(stage?.inputs ?? {}).flatMap((value) => {
    const match = /^\$\{\{\s*stages\.(\w+)\.(\w+)\s*\}\}$/.exec(String(value));
    const output = match && (state as RunState).stages[match[1]!]?.outputs?.[match[2]!];
    return output && !Array.isArray(output) && output.kind === 'dataset' ? [output] : [];
  });
  return refs.length === 1 ? refs[0]!.rows : undefined;
}

function fileLine({ path, rows, bytes, missing }: WrittenFile, { cwd, colors: c }: CliContext): string {
  const short = relative(cwd, path);
  const facts = [
    rows === undefined ? '' : plural(rows, 'row'),
    bytes === undefined ? '' : formatBytes(bytes),
    missing ? c.red('is gone') : '',
  ];
  return `  ${c.dim('wrote')} ${c.bold(short.startsWith('..') ? path : short)}  ${c.dim(facts.filter(Boolean).join(', '))}`;
}
