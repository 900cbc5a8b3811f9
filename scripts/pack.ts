import { mkdirSync } from 'node:fs';
import { packAll } from './packages/pack-all.ts';

// `tsx scripts/pack.ts FOLDER`: tarballs of all packages that are published, as built now.

const folder = process.argv[2];
if (folder === undefined) {
  console.error('Expected a folder: tsx scripts/pack.ts FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const { tarball } of packAll(folder)) console.log(tarball);
