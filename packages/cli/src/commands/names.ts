import { currentUser } from '../current-user.ts';
import type { NameVersion } from '@hourglass/artifacts';
import type { CliContext } from '../context.ts';
import { openStoreFor } from '../open-store.ts';
import { formatWhen, plural } from '../output/format.ts';
import { formatTable } from '../output/table.ts';

interface NamesOptions {
  store?: string;
  json?: boolean;
}

const short = (digest: string): string => digest.slice(0, 12);
const print = (context: CliContext, value: unknown): unknown => context.stdout.write(`${JSON.stringify(value)}\n`);

/** `hourglass names ls` */
export async function list(context: CliContext, options: NamesOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const names = await store.names.list();
  if (options.json) return void print(context, names);
  const { stdout, colors: c } = context;
  if (names.length === 0) {
    stdout.write(
      'No names are published here. A pipeline publishes with: publish: { my_model: "${{ stages.train.model }}" }\n',
    );
    return;
  }
  const rows = names.map(({ name, latest, versions, aliases }) => [
    c.bold(name),
    `@${latest.version}`,
    latest.ref.kind + (latest.ref.application ? ` (${latest.ref.application})` : ''),
    short(latest.ref.digest),
    formatWhen(Date.parse(latest.at), Date.now()),
    aliases.map(({ alias, version }) => `${alias} → @${version}`).join(', '),
    plural(versions, 'version'),
  ]);
  const columns = ['NAME', 'LATEST', 'KIND', 'DIGEST', 'PUBLISHED', 'ALIASES', 'HISTORY'].map((title) => ({
    title,
    shrink: title === 'ALIASES',
  }));
  stdout.write(`${formatTable(columns, rows, { width: stdout.columns, header: c.dim }).join('\n')}\n`);
}

/** `hourglass names show NAME` */
export async function show(context: CliContext, name: string, options: NamesOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const version = await store.names.resolve(name);
  if (options.json) return void print(context, version);
  context.stdout.write(`${versionLines(context, version).join('\n')}\n`);
}

/** `hourglass names history NAME` */
export async function history(context: CliContext, name: string, options: NamesOptions): Promise<void> {
  const store = await openStoreFor(context, options);
  const found = await store.names.history(name);
  if (options.json) return void print(context, found);
  const entries = [
    ...found.versions.map((v) => ({
      at: v.at,
      cells: [`@${v.version}`, `${v.ref.kind} ${short(v.ref.digest)}`, `run ${v.run}`],
    })),
    ...found.aliases.map((a) => ({ at: a.at, cells: [`${a.alias} → @${a.version}`, '', `by ${a.by}`] })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const rows = entries.map(({ at, cells }) => [formatWhen(Date.parse(at), Date.now()), ...cells]);
  const columns = ['WHEN', 'VERSION', 'ARTIFACT', 'FROM'].map((title) => ({ title, shrink: title === 'FROM' }));
  context.stdout.write(
    `${formatTable(columns, rows, { width: context.stdout.columns, header: context.colors.dim }).join('\n')}\n`,
  );
}

/** `hourglass names promote REFERENCE ALIAS` */
export async function promote(
  context: CliContext,
  reference: string,
  alias: string,
  options: NamesOptions & { by?: string },
): Promise<void> {
  const store = await openStoreFor(context, options);
  const done = await store.names.promote(reference, alias, { by: options.by ?? currentUser() });
  if (options.json) return void print(context, done);
  const name = reference.split('@')[0];
  context.stdout.write(`${context.colors.green('✓')} ${name}@${done.alias} is now ${name}@${done.version}\n`);
}

function versionLines({ colors: c }: CliContext, version: NameVersion): string[] {
  const { ref } = version;
  return [
    `${c.bold(`${version.name}@${version.version}`)}  ${ref.kind}${ref.application ? ` (${ref.application})` : ''}`,
    `  digest     ${ref.digest}`,
    `  published  ${formatWhen(Date.parse(version.at), Date.now())} by run ${version.run}`,
  ];
}
