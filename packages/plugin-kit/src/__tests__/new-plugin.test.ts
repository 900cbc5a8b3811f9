import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

import { pluginFiles } from '../new-plugin.ts';

const workspace = fileURLToPath(new URL('../../../../', import.meta.url));

it('writes the same plugin for both places, under its own name everywhere', () => {
  const inside = pluginFiles({ name: 'churn-score', place: 'workspace' });
  const outside = pluginFiles({ name: 'churn-score', place: 'standalone' });
  for (const files of [inside, outside]) {
    for (const [path, text] of files) expect(`${path}\n${text}`).not.toMatch(/my-app|my_app|my-package/);
    expect(files.get('src/index.ts')).toContain("name: 'churn-score'");
    expect(files.get('examples/churn-score.yaml')).toContain('name: churn_score');
  }
  const sources = (files: Map<string, string>) => [...files].filter(([path]) => /^(src|examples)\//.test(path));
  expect(sources(inside)).toEqual(sources(outside));
  expect(inside.get('README.md')).toContain('# @hourglass/plugin-churn-score');
  expect(outside.get('README.md')).toContain('# hourglass-plugin-churn-score');
});

it('shares our packages with the host where it is published, and none of them twice', () => {
  const json = JSON.parse(pluginFiles({ name: 'x', place: 'standalone', packageName: '@me/x' }).get('package.json')!);
  expect(json).toMatchObject({ name: '@me/x', keywords: ['hourglass-plugin'] });
  expect(Object.keys(json.dependencies)).toEqual(['zod']);
  expect(json.peerDependencies).toMatchObject({ '@hourglass/plugin-kit': '^0.1.0', '@tensorflow/tfjs': '^4.22.0' });
});

it('takes the versions that this package has, so that there is one registry of tensors', () => {
  const own = JSON.parse(readFileSync(join(workspace, 'packages/plugin-kit/package.json'), 'utf8')).dependencies;
  const json = JSON.parse(pluginFiles({ name: 'x', place: 'workspace' }).get('package.json')!);
  for (const name of ['@tensorflow/tfjs', 'zod']) expect(json.dependencies[name], name).toBe(own[name]);
});

it('refuses a name that stages could not be called by, with one that they could', () => {
  for (const name of ['Churn', '1st', 'a_b', 'a--b', '-a', '../up', ''])
    expect(() => pluginFiles({ name, place: 'standalone' }), name).toThrow(/expected lower-case words joined by "-"/);
});

it('has the right types, and runs its conformance kit and its example with no edit', () => {
  // Outside of the packages folder, so that it is in nobody's way; linked to the sources as a package of it would be.
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-new-plugin-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const shared of ['node_modules', 'tsconfig.base.json', 'tsconfig.build.json'])
    symlinkSync(join(workspace, shared), join(folder, shared));
  const root = join(folder, 'packages/plugin-churn-score');
  for (const [path, text] of pluginFiles({ name: 'churn-score', place: 'workspace' })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `const source = { resolve: { conditions: ['@hourglass/source'] } };
     export default { root: ${JSON.stringify(root)}, ...source, ssr: source, cacheDir: ${JSON.stringify(join(folder, 'cache'))},
       test: { include: ['src/**/__tests__/**/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 120_000 } };`,
  );
  const tsc = join(workspace, 'node_modules/typescript/bin/tsc');
  const types = spawnSync(process.execPath, [tsc, '--noEmit', '-p', root], { encoding: 'utf8' });
  expect(types.stdout).toBe('');
  const report = join(folder, 'report.json');
  const vitest = join(workspace, 'node_modules/vitest/vitest.mjs');
  const call = [
    vitest,
    'run',
    '--config',
    join(folder, 'vitest.config.mjs'),
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  // The settings of the tests around are not for those inside.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const ran = spawnSync(process.execPath, call, { cwd: root, env, encoding: 'utf8' });
  expect(ran.status, `${ran.stdout}\n${ran.stderr}`).toBe(0);
  const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'));
  expect(numPassedTests).toBe(numTotalTests);
  expect(numPassedTests).toBeGreaterThan(30);
  expect(existsSync(join(root, 'examples', 'out')) || readdirSync(root).includes('.hourglass')).toBe(false);
});
