import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

let workspace: Workspace;
afterEach(() => workspace.remove());

function install(name: string, index: string, more: object = {}): void {
  const root = join(workspace.dir, 'node_modules', name);
  mkdirSync(root);
  const keywords = ['hourglass-plugin'];
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', type: 'module', keywords, exports: './index.js', ...more }),
  );
  writeFileSync(join(root, 'index.js'), index);
}

const stages = (...stages: [string, string][]) =>
  `export default { name: 'odd', summary: 's', stages: { ${stages
    .map(
      ([key, id]) =>
        `${key}: { id: '${id}', version: 1, summary: 's', inputs: {}, outputs: {}, options: { shape: {} } }`,
    )
    .join(', ')} } };`;

it('names plugins that throw, declare a stage twice or need a newer core, and runs with the rest', async () => {
  workspace = makeWorkspace({ 'p.yaml': toyPipeline('  work: { uses: toy/work }\n') });
  install('plugin-throws', 'throw new Error("no licence found")');
  install('plugin-twice', stages(['a', 'odd/a'], ['b', 'odd/a']));
  install('plugin-newer', stages(['a', 'odd/a']), { peerDependencies: { '@hourglass/core': '^7.0.0' } });
  const listed = await workspace.call(['plugins']);
  expect(listed.code).toBe(0);
  expect(listed.out).toContain('toy');
  expect(listed.out).toContain('imputation');
  expect(listed.out).not.toContain('odd');
  expect(listed.err).toMatch(/warning Plugin plugin-throws 1\.0\.0 .*cannot be used: .*no licence found/);
  expect(listed.err).toMatch(/warning Plugin plugin-twice .*"odd\/a" is declared twice/);
  expect(listed.err).toMatch(/warning Plugin plugin-newer .*needs @hourglass\/core \^7\.0\.0, and this Hourglass is/);
  expect(listed.err).not.toMatch(/^ +at /m);
  const ran = await workspace.call(['run', 'p.yaml', '--plain']);
  expect(ran.code, ran.err).toBe(0);
});

it('says which plugin is broken when a pipeline asks for its stage', async () => {
  workspace = makeWorkspace({ 'p.yaml': toyPipeline('  a: { uses: odd/a }\n') });
  install('plugin-throws', 'throw new Error("no licence found")');
  const { code, err } = await workspace.call(['run', 'p.yaml']);
  expect(code).toBe(2);
  expect(err).toContain('plugin-throws');
  expect(err).toContain('no licence found');
});

it('writes a new plugin whole, once, and says what to do next', async () => {
  workspace = makeWorkspace();
  const made = await workspace.call(['plugin', 'new', 'churn-score']);
  expect(made.code, made.err).toBe(0);
  expect(made.out).toContain('cd hourglass-plugin-churn-score');
  const folder = join(workspace.dir, 'hourglass-plugin-churn-score');
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name).toBe('hourglass-plugin-churn-score');
  expect(existsSync(join(folder, 'src/train.ts'))).toBe(true);
  writeFileSync(join(folder, 'src/train.ts'), '// mine');
  const again = await workspace.call(['plugin', 'new', 'churn-score']);
  expect(again.code).toBe(2);
  expect(again.err).toMatch(/exists already.*--output/);
  expect(readFileSync(join(folder, 'src/train.ts'), 'utf8')).toBe('// mine');
  expect(readdirSync(workspace.dir).sort()).toEqual(['hourglass-plugin-churn-score', 'node_modules']);
});

it('refuses a new plugin whose name is bad or taken, writing nothing', async () => {
  workspace = makeWorkspace();
  for (const [name, words] of [
    ['My_App', /lower-case words joined by "-"/],
    ['imputation', /installed already: @hourglass\/plugin-imputation/],
  ] as const) {
    const { code, err } = await workspace.call(['plugin', 'new', name]);
    expect(code).toBe(2);
    expect(err).toMatch(words);
  }
  expect(readdirSync(workspace.dir)).toEqual(['node_modules']);
});
