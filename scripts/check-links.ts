import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { brokenLinks } from './broken-links.ts';

// Every link between files of this repository leads somewhere: `npm run check:links`.

const root = resolve(import.meta.dirname, '..');
const SKIPPED = new Set(['node_modules', 'dist', 'out', 'coverage']);

function* markdown(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && !entry.name.startsWith('.')) yield* markdown(join(folder, entry.name));
    } else if (entry.name.endsWith('.md')) yield join(folder, entry.name);
  }
}

const files = new Map(
  [...markdown(root)].map((path) => [relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
);
const { checked, broken } = brokenLinks(files, (path) => existsSync(join(root, path)));
for (const { file, line, target, problem } of broken) console.error(`${file}:${line}: ${target}: ${problem}`);
console.log(`${checked} links in ${files.size} Markdown files, ${broken.length} broken`);
process.exitCode = broken.length > 0 ? 1 : 0;
