import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ERROR_CODES, pipelineJsonSchema } from '@hourglass/core';
import { discoverPlugins } from '@hourglass/runtime';
import { format, resolveConfig } from 'prettier';
import { publicPackages } from './packages/pack-all.ts';

// Writes what is derived from the code: `npm run generate`. With --check: says what is stale and fails.

const root = resolve(import.meta.dirname, '..');
const check = process.argv.includes('--check');

async function schema(): Promise<string> {
  const { plugins, problems } = await discoverPlugins({ from: root });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  // The plugins of this repository only: what else is installed here is nobody's business.
  const ours = plugins.filter(
    ({ root: folder }) => !relative(root, folder).startsWith('..') && !folder.includes('node_modules'),
  );
  const shipped = ours.filter(({ packageName }) => packageName.startsWith('@hourglass/'));
  const registry = new Map(shipped.map(({ manifest }) => [manifest.name, manifest]));
  return JSON.stringify(pipelineJsonSchema(registry));
}

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
  if (!check) writeFileSync(path, text);
}
if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run: npm run generate`);
  process.exitCode = 1;
} else console.log(stale.length > 0 ? `Written: ${stale.join(', ')}` : 'Everything generated is fresh.');
