import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publicPackages, root } from '../packages/pack-all.ts';

it('the command brings every plugin that is shipped', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const plugins = publicPackages().filter(({ folder }) => folder.startsWith('packages/plugin-'));
  expect(plugins.length).toBeGreaterThan(9);
  for (const { name } of plugins) expect(Object.keys(dependencies)).toContain(name);
});
