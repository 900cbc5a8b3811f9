import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packAll, type Packed } from './packages/pack-all.ts';

// `npm run check:packages`: what would be published, looked at as npm and TypeScript will see it. Build first.

/** Ways of resolving that a package of ES modules only does not serve; Node from 20.19 on lets CommonJS require it. */
const NOT_OURS = new Set(['node10', 'node16-cjs']);

async function problemsOf({ tarball, files, root, name }: Packed): Promise<string[]> {
  const problems: string[] = [];
  for (const file of ['README.md', 'LICENSE', 'package.json'])
    if (!files.includes(file)) problems.push(`${file} is missing`);
  const stray = files.filter((file) => /__tests__|\.tsbuildinfo$|(^|\/)(node_modules|fixtures)\//.test(file));
  if (stray.length > 0 && name !== '@hourglass/plugin-kit') problems.push(`holds ${stray.slice(0, 3).join(', ')}`);
  const json = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  for (const field of ['description', 'license', 'exports', 'engines', 'files'])
    if (json[field] === undefined) problems.push(`package.json has no "${field}"`);
  const data = readFileSync(tarball);
  const arrayBuffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: arrayBuffer }, strict: true });
  // The sources are for this repository, which alone asks for them.
  const found = messages.filter(({ path }) => path.at(-1) !== '@hourglass/source');
  problems.push(...found.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`));
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(data)));
  if (!analysis.types) problems.push('types: none found');
  else
    for (const problem of analysis.problems) {
      if ('resolutionKind' in problem && NOT_OURS.has(problem.resolutionKind)) continue;
      const at = 'entrypoint' in problem ? ` of ${problem.entrypoint}` : '';
      problems.push(`types: ${problem.kind}${at}`);
    }
  return problems;
}

const folder = mkdtempSync(join(tmpdir(), 'hourglass-packages-'));
try {
  const packages = packAll(folder);
  let bad = 0;
  for (const packed of packages) {
    const problems = await problemsOf(packed);
    if (problems.length > 0) bad++;
    for (const problem of problems) console.error(`${packed.name}: ${problem}`);
  }
  console.log(`${packages.length - bad} of ${packages.length} packages can be published.`);
  if (bad > 0 || packages.length === 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
