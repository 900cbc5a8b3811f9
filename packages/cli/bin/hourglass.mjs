#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Hourglass needs Node 20.19 or newer, found ${process.version}. Install a newer Node: https://nodejs.org`,
  );
  process.exit(2);
}

// Compiled code is kept between starts where Node can do that (22.8 on).
nodeModule.enableCompileCache?.();

// A checkout runs its sources, whatever lies in dist; a published package carries dist only.
const sources = new URL('../src/main.ts', import.meta.url);
const { main, importModule } = existsSync(sources)
  ? await (await import('./from-sources.mjs')).load(sources)
  : await import('../dist/main.js');

process.exitCode = await main(process.argv.slice(2), { importModule });
