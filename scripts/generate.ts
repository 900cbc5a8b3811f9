import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ERROR_CODES, pipelineJsonSchema } from '@hourglass/core';
import { discoverPlugins } from '@hourglass/runtime';
import { format, resolveConfig } from 'prettier';
import { PAGES, pluginPages, type PluginSource } from './generate/plugin-pages.ts';
import { publicPackages } from './packages/pack-all.ts';

// Writes what is derived from the code: `npm run generate`. With --check: says what is stale and fails.

const root = resolve(import.meta.dirname, '..');
const check = process.argv.includes('--check');

/** The plugins of this repository only: what else is installed here is nobody's business. */
async function shippedPlugins(): Promise<PluginSource[]> {
  const { plugins, problems } = await discoverPlugins({ from: root });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plugins
    .filter(({ root: folder }) => !relative(root, folder).startsWith('..') && !folder.includes('node_modules'))
    .filter(({ packageName }) => packageName.startsWith('@hourglass/'))
    .map(({ manifest, packageName, root: folder }) => ({
      manifest,
      packageName,
      folder: relative(root, folder).split(sep).join('/'),
      readme: readFileSync(join(folder, 'README.md'), 'utf8'),
    }));
}

const shipped = await shippedPlugins();

const schema = (): string =>
  JSON.stringify(pipelineJsonSchema(new Map(shipped.map(({ manifest }) => [manifest.name, manifest]))));

const library = readdirSync(resolve(root, 'workflows/pipelines'))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `workflows/pipelines/${name}`)
  .map((file) => ({ file, text: readFileSync(resolve(root, file), 'utf8') }));

function errors(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { meaning, retryable, remedy }]) =>
      `| \`${code}\` | ${meaning} | ${retryable ? 'yes' : 'no'} | ${remedy} |`,
  );
  return `# Errors

Every error of Hourglass has one of these codes. The message says where, what was expected, what was found and what to do; the
table says what the code means in general. _Retried_: a stage that fails so is tried again by itself, up to its \`retry\`
(three attempts unless the pipeline says otherwise). Mistakes of the caller are never retried. \`--debug\` shows causes and stacks,
\`--json\` gives \`{"type": "error", "code", "message", "details", "causes"}\`.

Exit codes of the command: 0 ok · 1 a stage failed · 2 the pipeline or the call is wrong · 3 a gate or a person said no ·
130 interrupted.

| code | meaning | retried | remedy |
| --- | --- | --- | --- |
${rows.join('\n')}

_Written by \`npm run generate\` from \`packages/core/src/error.ts\`._
`;
}

/** npm takes a licence only from a package's own folder. */
const licence = (): string => readFileSync(resolve(root, 'LICENSE'), 'utf8');

const files: Record<string, () => string | Promise<string>> = {
  'packages/core/schema/pipeline.v1.json': schema,
  'docs/errors.md': errors,
  ...Object.fromEntries(
    Object.entries(pluginPages(shipped, library)).map(([name, text]) => [`${PAGES}/${name}`, () => text]),
  ),
  ...Object.fromEntries(publicPackages().map(({ folder }) => [`${folder}/LICENSE`, licence])),
};

const stale: string[] = [];
for (const [file, content] of Object.entries(files)) {
  const path = resolve(root, file);
  const written = await content();
  const text = file.endsWith('LICENSE')
    ? written
    : await format(written, { ...(await resolveConfig(path)), filepath: path });
  let before: string | undefined;
  try {
    before = readFileSync(path, 'utf8');
  } catch {
    before = undefined; // Not there yet.
  }
  if (before === text) continue;
  stale.push(file);
  if (check) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
// Pages of plugins that are no more.
for (const name of readdirSync(resolve(root, PAGES)).filter((name) => !(`${PAGES}/${name}` in files))) {
  stale.push(`${PAGES}/${name}`);
  if (!check) rmSync(resolve(root, PAGES, name));
}
if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run: npm run generate`);
  process.exitCode = 1;
} else console.log(stale.length > 0 ? `Written: ${stale.join(', ')}` : 'Everything generated is fresh.');
