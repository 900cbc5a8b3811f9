import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { runCheck, type Check } from '../testing/check.ts';
import { manifestChecks } from '../testing/checks/manifest.ts';
import type { LearnerUnderTest } from '../testing/learner.ts';
import { tableChecks, testPlugin } from '../testing/test-plugin.ts';
import toy, { type Defect } from './toy/index.ts';

const modules = new URL('./toy/', import.meta.url);
const learner = (defect: Defect): LearnerUnderTest => ({
  plugin: toy,
  modules,
  train: { options: { defect } },
  apply: { stage: 'fill', options: { defect } },
});

testPlugin({ plugin: toy, modules, learner: learner('none') });

/** Which check finds which defect, by a word of its title. */
const finds: [Defect, RegExp][] = [
  ['ignores-seed', /same digest from the same seed/],
  ['forgets-seed', /same digest from the same seed/],
  ['random-result', /saved and loaded model/],
  ['changes-input', /leaves its inputs/],
  ['looks-at-the-batch', /whatever rows come with it/],
  ['ignores-cancel', /stops at once/],
  ['no-checkpoint', /continues from a checkpoint/],
  ['wrong-resume', /continues from a checkpoint/],
  ['leaks', /no tensors behind/],
  ['fails-on-one-column', /one column/],
  ['fails-on-wide', /wide table/],
  ['garbage-constant', /constant column/],
  ['garbage-all-missing', /without a single value/],
  ['garbage-infinite', /infinite cells/],
  ['columns-by-position', /whatever order/],
  ['confused-by-extra', /a column more/],
  ['accepts-missing-column', /that a table lacks/],
  ['accepts-changed-type', /whose type changed/],
  ['fails-on-one-row', /single row/],
  ['loses-columns-when-empty', /empty table, giving/],
  ['learns-from-nothing', /refuses to learn from an empty table/],
  ['fails-on-few-rows', /handful of rows/],
];

describe('each check fails on a learner that is broken in its way', () => {
  it('has a defect for every check', () => {
    const unproven = tableChecks.filter((check) => !finds.some(([, title]) => title.test(check.title)));
    expect(unproven.map((check) => check.title)).toEqual([]);
  });

  for (const [defect, title] of finds)
    it(`finds "${defect}"`, async () => {
      const check = tableChecks.find((each) => title.test(each.title)) as Check;
      await expect(runCheck(check, learner(defect))).rejects.toThrow();
    });
});

describe('checks of declarations fail on declarations that are wrong', () => {
  const stage = toy.stages.train;
  const broken = {
    'has the id': { ...stage, id: 'toy/learn' },
    'describes every option': { ...stage, options: z.object({ epochs: z.int().default(1) }) },
    'names the option that has': { ...stage, options: z.object({ epochs: z.any().describe('anything') }) },
    'uses no name for both': { ...stage, options: z.object({ data: z.string().default('').describe('taken') }) },
    'names options that exist': { ...stage, sources: ['uri'] as never },
  };
  for (const [title, manifest] of Object.entries(broken))
    it(title, () => {
      const check = manifestChecks.find((each) => each.title.startsWith(title))!;
      expect(() => check.run(toy, 'train', stage)).not.toThrow();
      expect(() => check.run(toy, 'train', manifest as never)).toThrow();
    });
});
