// A program of its own that runs the chain in a folder: killed by the test of interrupted runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { compile } from '@hourglass/core';
import { createRunner, loadPlugin, machineSlots, pluginSet, runPipeline } from '../index.ts';

const folder = process.argv[2]!;
const store = await openStore(join(folder, 'store'));
const root = new URL('../../fixtures/toy-plugin', import.meta.url).pathname;
const plugins = pluginSet([await loadPlugin(root)]);
const runner = createRunner({ store, plugins, slots: machineSlots({ count: 2, folder: join(folder, 'slots') }) });
const text = readFileSync(join(folder, 'chain.yaml'), 'utf8');
const { plan } = compile({ text, file: 'chain.yaml' }, plugins.registry);
await runPipeline({
  plan: plan!,
  store,
  runner,
  plugins,
  baseDir: folder,
  outDir: join(folder, 'out'),
  onStart: ({ pid }) => console.log(`pid ${pid}`),
  onProgress: ({ message }) => console.log(message),
});
