import { collectGarbage, listArtifacts, showArtifact, verifyStore } from '@hourglass/artifacts';
import { ARTIFACT_KINDS, didYouMean, HourglassError } from '@hourglass/core';
import { runRoots } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { openStoreFor } from '../open-store.ts';
import { formatBytes, formatCount, formatWhen, plural } from '../output/format.ts';
import { formatTable } from '../output/table.ts';
import type { ProgramState } from '../program.ts';

interface StoreOptions {
  store?: string;
  json?: boolean;
}

const print = (context: CliContext, value: unknown): unknown => context.stdout.write(`${JSON.stringify(value)}\n`);

/** `hourglass artifacts ls` */
export async function list(
  context: CliContext,
  options: StoreOptions & { kind?: string; limit: number },
): Promise<void> {
  const { kind, limit } = options;
  if (kind !== undefined && !(ARTIFACT_KINDS as readonly string[]).includes(kind)) {
    const near = didYouMean(kind, ARTIFACT_KINDS);
    throw new HourglassError(
      'CALL_INVALID',
      `--kind: expected ${ARTIFACT_KINDS.join(', ')}; found "${kind}".${near ? ` Did you mean ${near}?` : ''}`,
    );
  }
  const store = await openStoreFor(context, options);
  const found = (await listArtifacts(store)).filter(({ ref }) => kind === undefined || ref.kind === kind);
  const { stdout, colors: c } = context;
  if (options.json) return void print(context, found.slice(0, limit));
  if (found.length === 0) {
    stdout.write(`The store ${store.location} holds no ${kind ?? 'artifact'}.\n`);
    return;
  }
  const rows = found
    .slice(0, limit)
    .map(({ ref, modified, producers, names }) => [
      c.cyan(ref.digest.slice(0, 12)),
      ref.kind + (ref.application ? ` (${ref.application})` : ''),
      ref.rows === undefined ? '' : formatCount(ref.rows),
      formatBytes(ref.bytes),
      formatWhen(Date.parse(modified), Date.now()),
      [...names, ...producers].join(', '),
    ]);
  const columns = [
    { title: 'DIGEST' },
    { title: 'KIND' },
    { title: 'ROWS', align: 'right' as const },
    { title: 'SIZE', align: 'right' as const },
    { title: 'MADE' },
    { title: 'FROM', shrink: true, minimum: 16 },
  ];
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
  const more = found.length - rows.length;
  const total = found.reduce((sum, { ref }) => sum + ref.bytes, 0);
  stdout.write(
    c.dim(
      `${plural(found.length, 'artifact')}, ${formatBytes(total)}${more > 0 ? `; ${more} more with --limit ${found.length}` : ''}\n`,
    ),
  );
}

/** `hourglass artifacts show ARTIFACT` */
export async function show(context: CliContext, reference: string, options: StoreOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const found = await showArtifact(store, reference);
  if (options.json) return void print(context, found);
  const { stdout, colors: c } = context;
  const { ref, manifest } = found;
  stdout.write(`${c.bold(ref.kind)}${ref.application ? ` (${ref.application})` : ''}  ${ref.digest}\n`);
  const facts: [string, string][] = [
    ['size', formatBytes(ref.bytes)],
    ['rows', ref.rows === undefined ? '' : formatCount(ref.rows)],
    ['made', formatWhen(Date.parse(found.modified), Date.now())],
    ['from', found.producers.join(', ')],
    ['names', found.names.join(', ')],
  ];
  for (const [name, value] of facts) if (value) stdout.write(`  ${name.padEnd(6)} ${value}\n`);
  const width = stdout.columns;
  const columns = manifest.meta.columns;
  if (Array.isArray(columns)) {
    const rows = (columns as { name: string; type: string; physical: string }[]).map((column) => [
      column.name,
      column.type,
      column.physical,
    ]);
    section(
      context,
      plural(rows.length, 'column'),
      formatTable([{ title: '', shrink: true }, { title: '' }, { title: '' }], rows, { width, indent: '    ' }),
    );
  } else
    section(
      context,
      'meta',
      JSON.stringify(manifest.meta, null, 2)
        .split('\n')
        .map((line) => `    ${line}`),
    );
  const parts = manifest.parts.map((part) => [
    part.key,
    formatBytes(part.bytes),
    part.rows === undefined ? '' : plural(part.rows, 'row'),
    part.digest.slice(0, 12),
  ]);
  section(
    context,
    plural(parts.length, 'part'),
    formatTable(
      [{ title: '', shrink: true }, { title: '', align: 'right' }, { title: '', align: 'right' }, { title: '' }],
      parts,
      { width, indent: '    ' },
    ),
  );
  if (found.note)
    section(
      context,
      'beside it',
      JSON.stringify(found.note, null, 2)
        .split('\n')
        .map((line) => `    ${line}`),
    );
}

const MOST_LINES = 40;

function section({ stdout, colors: c }: CliContext, title: string, lines: string[]): void {
  if (lines.length === 0) return;
  stdout.write(`  ${c.bold(title)}\n${lines.slice(0, MOST_LINES).join('\n')}\n`);
  if (lines.length > MOST_LINES) stdout.write(c.dim(`    … ${lines.length - MOST_LINES} more lines with --json\n`));
}

/** `hourglass artifacts verify` */
export async function verify(context: CliContext, state: ProgramState, options: StoreOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const report = await verifyStore(store);
  if (report.problems.length > 0) state.exitCode = EXIT.failed;
  if (options.json) return void print(context, report);
  const { stdout, colors: c } = context;
  const looked = `${plural(report.artifacts, 'artifact')}, ${plural(report.blobs, 'blob')}, ${formatBytes(report.bytes)}`;
  if (report.problems.length === 0) {
    stdout.write(`${c.green('✓')} every byte is as it was written: ${looked}\n`);
    return;
  }
  stdout.write(`${c.red('✗')} ${plural(report.problems.length, 'problem')} in ${looked}\n`);
  for (const { key, problem, records, names } of report.problems) {
    stdout.write(`  ${c.red(problem)} ${key}\n`);
    if (records.length) stdout.write(`    computed anew by the next run: ${records.join(', ')}\n`);
    if (names.length) stdout.write(`    published versions that cannot be used: ${names.join(', ')}\n`);
  }
}

/** `hourglass artifacts gc` */
export async function gc(
  context: CliContext,
  options: StoreOptions & { keepDays?: number; keepVersions?: number; dryRun?: boolean },
): Promise<void> {
  const store = await openStoreFor(context, options);
  const { keepDays, keepVersions, dryRun } = options;
  const report = await collectGarbage(store, { keepDays, keepVersions, dryRun, roots: await runRoots(store) });
  if (options.json) return void print(context, report);
  const { stdout, colors: c } = context;
  const kinds = new Map<string, { count: number; bytes: number }>();
  for (const { kind, bytes } of report.deleted) {
    const entry = kinds.get(kind) ?? { count: 0, bytes: 0 };
    kinds.set(kind, { count: entry.count + 1, bytes: entry.bytes + bytes });
  }
  const verb = dryRun ? 'would delete' : 'deleted';
  if (kinds.size === 0) stdout.write(`${c.green('✓')} nothing to delete\n`);
  for (const [kind, { count, bytes }] of kinds) stdout.write(`${verb} ${plural(count, kind)}, ${formatBytes(bytes)}\n`);
  stdout.write(
    c.dim(
      `kept ${plural(report.kept.artifacts, 'artifact')}, ${formatBytes(report.kept.bytes)}. What was written within a day is never deleted.\n`,
    ),
  );
}
