import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { discoverPlugins, loadPlugin } from '../discover.ts';
import { TOY_ROOT } from './toy.ts';

/** A project with packages in its node_modules. Files get the real packages by a link. */
async function project(packages: Record<string, { json?: object; index?: string; files?: Record<string, string> }>) {
  const root = await mkdtemp(join(tmpdir(), 'hourglass-discover-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const own = dirname(dirname(fileURLToPath(import.meta.resolve('zod/package.json'))));
  for (const [name, { json, index, files = {} }] of Object.entries(packages)) {
    const folder = join(root, 'node_modules', name);
    await mkdir(folder, { recursive: true });
    const all: Record<string, string> = {
      'package.json': JSON.stringify({
        name,
        version: '2.3.4',
        type: 'module',
        keywords: ['hourglass-plugin'],
        exports: { '.': './index.js', './*': './*.js' },
        ...json,
      }),
      ...(index === undefined ? {} : { 'index.js': index }),
      ...files,
    };
    for (const [file, text] of Object.entries(all)) await writeFile(join(folder, file), text);
  }
  await symlink(join(own, 'zod'), join(root, 'node_modules', 'zod'));
  return root;
}

const stage = (id: string, more = '') =>
  `{ id: '${id}', version: 1, summary: 's', inputs: {}, outputs: {}, options: z.object({ uri: z.string().optional() }), ${more} }`;
const plugin = (name: string, stages: string) =>
  `import { z } from 'zod';\nexport default { name: '${name}', summary: 's', stages: ${stages} };`;

test('finds installed packages with the keyword, and the code of their stages', async () => {
  const root = await project({
    'hourglass-plugin-good': {
      index: plugin('good', `{ work: ${stage('good/work')}, ghost: ${stage('good/ghost')} }`),
      files: { 'work.js': 'export const run = async () => ({});' },
    },
    '@some/plugin-scoped': { index: plugin('scoped', `{ work: ${stage('scoped/work')} }`) },
    unrelated: { json: { keywords: ['something'] }, index: 'throw new Error("loaded")' },
  });
  const found = await discoverPlugins({ from: join(root, 'deep', 'inside') });
  expect(found.registry.has('good') && found.registry.has('scoped')).toBe(true);
  const good = found.stage('good/work').plugin;
  expect(good).toMatchObject({ packageName: 'hourglass-plugin-good', packageVersion: '2.3.4', source: false });
  expect(good.stageModule('good/work')).toMatch(/hourglass-plugin-good\/work\.js$/);
  expect(good.codeVersion('good/work')).toEqual({ version: '2.3.4', libraries: {} });
  expect(() => good.stageModule('good/ghost')).toThrow(/exports no "\.\/ghost"/);
  expect(() => found.stage('good/wrok')).toThrow(/Did you mean "good\/work"/);
});

test('names what cannot be used, and the rest works', async () => {
  const root = await project({
    'plugin-fine': { index: plugin('fine', `{ work: ${stage('fine/work')} }`) },
    'plugin-throws': { index: 'throw new Error("no such luck")' },
    'plugin-empty': { index: 'export {}' },
    'plugin-alien-id': { index: plugin('alien', `{ work: ${stage('other/work')} }`) },
    'plugin-twice': { index: plugin('twice', `{ a: ${stage('twice/a')}, b: ${stage('twice/a')} }`) },
    'plugin-source': { index: plugin('source', `{ a: ${stage('source/a', "sources: ['url']")} }`) },
    'plugin-clash': {
      index: plugin('clash', `{ a: { ...${stage('clash/a')}, inputs: { uri: { kind: 'dataset' } } } }`),
    },
    'plugin-metrics': {
      index: plugin('metrics', `{ a: { ...${stage('metrics/a')}, outputs: { m: { kind: 'metrics' } } } }`),
    },
    'plugin-unbuilt': { json: { exports: { '.': './dist/index.js' } } },
    'zplugin-fine': { index: plugin('fine', `{ work: ${stage('fine/work')} }`) },
  });
  const { registry, problems } = await discoverPlugins({ from: root });
  expect(
    [...registry.keys()].filter((name) => ['alien', 'twice', 'source', 'clash', 'metrics'].includes(name)),
  ).toEqual([]);
  expect(registry.has('fine')).toBe(true);
  const messages = Object.fromEntries(problems.map(({ packageName, message }) => [packageName, message]));
  expect(messages).toMatchObject({
    'plugin-throws': expect.stringContaining('no such luck'),
    'plugin-empty': expect.stringContaining('default export'),
    'plugin-alien-id': expect.stringContaining('expected id "alien/work", found "other/work"'),
    'plugin-twice': expect.stringContaining('declared twice'),
    'plugin-source': expect.stringContaining('sources names "url", which is no option; options are uri'),
    'plugin-clash': expect.stringContaining('"uri" is both an input and an option'),
    'plugin-metrics': expect.stringContaining('outputs.m: metrics need a schema'),
    'plugin-unbuilt': expect.stringContaining('exports no "."'),
    'zplugin-fine': expect.stringContaining('which plugin-fine already has'),
  });
});

test('refuses a plugin for another version of Hourglass, saying what it needs, and takes one that fits', async () => {
  const index = (name: string) => plugin(name, `{ work: ${stage(`${name}/work`)} }`);
  const needs = (range: string) => ({ peerDependencies: { '@hourglass/core': range } });
  const root = await project({
    'plugin-newer': { index: index('newer'), json: needs('^9.1.0') },
    'plugin-older': { index: index('older'), json: { dependencies: { '@hourglass/plugin-kit': '~0.0.9' } } },
    'plugin-fits': { index: index('fits'), json: needs('>=0.1.0 <2') },
    'plugin-linked': { index: index('linked'), json: needs('file:../core') },
  });
  const { registry, problems } = await discoverPlugins({ from: root });
  expect(['newer', 'older', 'fits', 'linked'].filter((name) => registry.has(name))).toEqual(['fits', 'linked']);
  const messages = problems.map(({ message }) => message).join('\n');
  expect(messages).toMatch(/plugin-newer 2\.3\.4 .*needs @hourglass\/core \^9\.1\.0, and this Hourglass is \d/);
  expect(messages).toMatch(/plugin-older .*needs @hourglass\/plugin-kit ~0\.0\.9/);
});

test('finds the plugin whose own folder it is called from, before one of that name that is installed', async () => {
  const root = await project({ 'plugin-own': { index: plugin('stale', `{ work: ${stage('stale/work')} }`) } });
  await writeFile(
    join(root, 'package.json'),
    JSON.stringify({
      name: 'plugin-own',
      version: '3.0.0',
      type: 'module',
      keywords: ['hourglass-plugin'],
      exports: './own.js',
    }),
  );
  await writeFile(join(root, 'own.js'), plugin('own', `{ work: ${stage('own/work')} }`));
  const { registry } = await discoverPlugins({ from: join(root, 'examples') });
  expect(registry.has('own')).toBe(true);
  expect(registry.has('stale')).toBe(false);
});

test('takes the plugins of the workspace from their sources, quickly', async () => {
  await discoverPlugins({ from: TOY_ROOT });
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await discoverPlugins({ from: TOY_ROOT });
    times.push(performance.now() - start);
  }
  console.info(`discoverPlugins: best ${Math.min(...times).toFixed(1)} ms`);
  expect(Math.min(...times)).toBeLessThan(100);
  const toy = await loadPlugin(TOY_ROOT);
  expect(toy.source).toBe(true);
  expect(toy.stageModule('toy/emit')).toMatch(/src\/emit\.ts$/);
});
