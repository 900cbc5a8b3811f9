import { artifact, definePlugin, defineStage } from '@hourglass/core';
import { z } from 'zod';

/** Ways to be wrong; each breaks one behaviour that the checks look for. */
export const DEFECTS = [
  'none',
  'ignores-seed',
  'forgets-seed',
  'random-result',
  'changes-input',
  'looks-at-the-batch',
  'ignores-cancel',
  'no-checkpoint',
  'wrong-resume',
  'leaks',
  'fails-on-one-column',
  'fails-on-wide',
  'garbage-constant',
  'garbage-all-missing',
  'garbage-infinite',
  'columns-by-position',
  'confused-by-extra',
  'accepts-missing-column',
  'accepts-changed-type',
  'fails-on-one-row',
  'loses-columns-when-empty',
  'learns-from-nothing',
  'fails-on-few-rows',
] as const;

export type Defect = (typeof DEFECTS)[number];

/** A learner without tensors: remembers each column's mean and fills missing cells with it. */
export default definePlugin({
  name: 'toy',
  summary: 'Fills missing cells with the mean',
  stages: {
    train: defineStage({
      id: 'toy/train',
      version: 1,
      summary: 'Remember the mean of each column',
      inputs: { data: artifact.dataset() },
      outputs: { model: artifact.model('toy') },
      options: z.object({ defect: z.enum(DEFECTS).default('none').describe('How it is broken') }),
    }),
    fill: defineStage({
      id: 'toy/fill',
      version: 1,
      summary: 'Fill missing cells with the mean',
      inputs: { data: artifact.dataset(), model: artifact.model('toy') },
      outputs: { data: artifact.dataset() },
      options: z.object({ defect: z.enum(DEFECTS).default('none').describe('How it is broken') }),
    }),
  },
});
