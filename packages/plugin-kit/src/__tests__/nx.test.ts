import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const require = createRequire(import.meta.url);
const nx = require('../../nx/index.cjs') as {
  createNodes: [string, (files: string[], options: unknown, context: { workspaceRoot: string }) => unknown[]];
};
const generate = require('../../generators/plugin/generator.cjs') as (
  tree: object,
  options: object,
) => Promise<() => void>;

function workspace(files: Record<string, unknown>): string {
  const root = mkdtempSync(join(tmpdir(), 'hourglass-nx-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(content));
  }
  return root;
}

it('gives a plugin its tag and targets, and leaves other packages and what lies inside of one alone', () => {
  const keywords = ['hourglass-plugin'];
  const files = {
    'package.json': { name: 'root', workspaces: ['packages/*'] },
    'packages/plugin-a/package.json': { name: 'plugin-a', keywords },
    'packages/plugin-a/examples/a.yaml': {},
    'packages/plugin-a/src/__tests__/conformance.test.ts': {},
    'packages/plugin-a/fixtures/toy/package.json': { name: 'toy', keywords },
    'packages/plugin-b/package.json': { name: 'plugin-b', keywords },
    'packages/lib/package.json': { name: 'lib', description: 'reads hourglass-plugin packages' },
  };
  const workspaceRoot = workspace(files);
  const paths = Object.keys(files).filter((path) => path.endsWith('package.json'));
  const found = nx.createNodes[1](paths, undefined, { workspaceRoot }) as [string, { projects: Record<string, any> }][];
  const projects = Object.assign({}, ...found.map(([, result]) => result.projects));
  expect(Object.keys(projects)).toEqual(['packages/plugin-a', 'packages/plugin-b']);
  expect(projects['packages/plugin-a'].tags).toEqual(['type:plugin']);
  expect(Object.keys(projects['packages/plugin-a'].targets)).toEqual(['conformance', 'check-pipelines']);
  expect(projects['packages/plugin-b'].targets).toEqual({});
});

it('generates the files of a plugin into the workspace, and never over a package that is there', async () => {
  const { createTreeWithEmptyWorkspace } = require('@nx/devkit/testing') as {
    createTreeWithEmptyWorkspace(): {
      read(path: string, encoding: string): string;
      exists(path: string): boolean;
      write(path: string, text: string): void;
      delete(path: string): void;
      children(folder: string): string[];
    };
  };
  const tree = createTreeWithEmptyWorkspace();
  // The empty workspace asks for a formatter that is not here.
  for (const name of tree.children('.').filter((name) => name.includes('oxfmt'))) tree.delete(name);
  tree.write('.prettierrc', '{}');
  await generate(tree, { name: 'demo' });
  expect(JSON.parse(tree.read('packages/plugin-demo/package.json', 'utf8'))).toMatchObject({
    name: '@hourglass/plugin-demo',
    scripts: { test: 'vitest run --root ../.. --project plugin-demo' },
  });
  expect(tree.exists('packages/plugin-demo/project.json')).toBe(false);
  expect(tree.exists('packages/plugin-demo/src/train.ts')).toBe(true);
  await expect(generate(tree, { name: 'demo' })).rejects.toThrow('holds a package already');
  await expect(generate(tree, { name: 'Not Good' })).rejects.toThrow('lower-case words');
});
