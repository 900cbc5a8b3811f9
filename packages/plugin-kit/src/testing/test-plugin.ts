import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { PluginManifest } from '@hourglass/core';

import { runCheck, type Check } from './check.ts';
import { columns } from './checks/columns.ts';
import { manifestChecks } from './checks/manifest.ts';
import { reproducible } from './checks/reproducible.ts';
import { rows } from './checks/rows.ts';
import type { LearnerUnderTest } from './learner.ts';
import { expectThat } from './check.ts';

/** Checks for learners on tables; a kind of input has its own list. */
export const tableChecks: Check[] = [...reproducible, ...columns, ...rows];

export interface TestPluginOptions {
  /** The plugin's default export. */
  plugin: PluginManifest;
  /** Folder of its stage modules: `new URL('../', import.meta.url)` from `src/__tests__`. */
  modules: URL;
  /** Which stages learn from tables and apply what was learned; without it only the declarations are checked. */
  learner?: Omit<LearnerUnderTest, 'plugin' | 'modules'>;
}

/**
 * Registers the conformance checks of a plugin as vitest tests: its declarations always, and the behaviours every
 * learner on tables has where it says which stages learn.
 */
export function testPlugin({ plugin, modules, learner }: TestPluginOptions): void {
  describe(`plugin ${plugin.name}`, () => {
    for (const [name, stage] of Object.entries(plugin.stages))
      describe(`stage ${name}`, () => {
        it('has its code where its name says', () => {
          const found = ['ts', 'js'].some((ending) => existsSync(new URL(`./${name}.${ending}`, modules)));
          expectThat(found, `expected ${name}.ts in ${modules.pathname}`);
        });
        for (const check of manifestChecks) it(check.title, () => check.run(plugin, name, stage));
      });
    if (learner)
      describe('as a learner on tables', () => {
        for (const check of tableChecks) it(check.title, () => runCheck(check, { plugin, modules, ...learner }));
      });
  });
}
