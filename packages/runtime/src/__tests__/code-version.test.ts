import { cp, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loadPlugin } from '../discover.ts';
import { TOY_ROOT } from './toy.ts';

async function copyOfToy(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'hourglass-code-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await cp(TOY_ROOT, root, { recursive: true });
  await symlink(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(root, 'node_modules'));
  return root;
}

async function edit(path: string, add: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')) + add);
  await utimes(path, new Date(), new Date(Date.now() + 1000));
}

test('a change of a stage changes the version of that stage only', async () => {
  const root = await copyOfToy();
  const toy = await loadPlugin(root);
  const before = { emit: toy.codeVersion('toy/emit').version, train: toy.codeVersion('toy/train').version };
  await edit(join(root, 'src', 'emit.ts'), '\n// changed\n');
  expect(toy.codeVersion('toy/emit').version).not.toBe(before.emit);
  expect(toy.codeVersion('toy/train').version).toBe(before.train);
});

test('a module named to ctx.parallel belongs to the stage, a manifest imported for its types does not', async () => {
  const root = await copyOfToy();
  const toy = await loadPlugin(root);
  const before = toy.codeVersion('toy/spread').version;
  await edit(join(root, 'src', 'index.ts'), '\n// changed\n');
  expect(toy.codeVersion('toy/spread').version).toBe(before);
  await edit(join(root, 'src', 'square.ts'), '\n// changed\n');
  expect(toy.codeVersion('toy/spread').version).not.toBe(before);
});

test('follows imports into other packages of the workspace and gives versions of those from outside', async () => {
  const root = await copyOfToy();
  const toy = await loadPlugin(root);
  const before = toy.codeVersion('toy/emit');
  expect(before.libraries).toEqual({});
  await edit(
    join(root, 'src', 'emit.ts'),
    `\nimport { didYouMean } from '@hourglass/core';\nimport {\n  z,\n} from 'zod';\nexport const used = [didYouMean, z];\n`,
  );
  const after = toy.codeVersion('toy/emit');
  expect(after.version).not.toBe(before.version);
  // zod is imported here; fastest-levenshtein by a file of core.
  expect(after.libraries).toMatchObject({
    zod: expect.stringMatching(/^4\./),
    'fastest-levenshtein': expect.any(String),
  });
});

test('costs little when nothing changed', async () => {
  const toy = await loadPlugin(TOY_ROOT);
  toy.codeVersion('toy/emit');
  const start = performance.now();
  for (let i = 0; i < 10; i++) toy.codeVersion('toy/emit');
  expect((performance.now() - start) / 10).toBeLessThan(10);
});
