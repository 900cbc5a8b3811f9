import { expect, it } from 'vitest';
import { optionProblem } from '../option-problem.ts';
import type { Json } from '../plan.ts';
import { plan } from './support/host.ts';
import { registry } from './support/plugins.ts';

const p = plan(
  `hourglass: v1
name: p
stages:
  in: { uses: data/ingest, with: { uri: a.csv } }
  many:
    forEach: { in: [north] }
    stages:
      read: { uses: data/ingest, with: { uri: b.csv } }
  sub: { uses: ./other.yaml, with: { epochs: 3 } }
`,
  {
    readFile: () => ({
      file: 'other.yaml',
      text: `hourglass: v1
name: other
params: { epochs: { type: integer, minimum: 1, default: 2 } }
stages: { in: { uses: data/ingest, with: { uri: c.csv } } }
`,
    }),
  },
);
const problem = (stage: string, option: string, value: Json): string | undefined =>
  optionProblem(p, registry, stage, option, value);

it('takes values that a file could give, of items and files too', () => {
  expect(problem('in', 'contract', { minRows: 5 })).toBeUndefined();
  expect(problem('many[north].read', 'uri', 'd.csv')).toBeUndefined();
  expect(problem('sub', 'epochs', 5)).toBeUndefined();
});

it('says why a name or a value cannot be, and what there is', () => {
  expect(problem('on', 'uri', 'x')).toBe(
    'there is no stage on in p. Did you mean in? There are in, many, many.read, sub, sub.in.',
  );
  expect(problem('in', 'foo', 1)).toBe('data/ingest has no option foo. There are uri, exclude, contract.');
  expect(problem('in', 'uri', 1)).toMatch(/expected string.*, found 1\./);
  expect(problem('in', 'contract', { minRow: 5 })).toBe(
    'contract has no key minRow. Did you mean minRows? There are minRows, notNull.',
  );
  expect(problem('many', 'uri', 'x')).toBe('many is a group; options are those of its stages, such as many.read.');
  expect(problem('sub', 'epochs', 0)).toBe('expected at least 1, found 0.');
  expect(problem('sub', 'epoch', 1)).toMatch(/other\.yaml has no param epoch\. Did you mean epochs\?/);
});

it('says that an option is changed as a whole, and how', () => {
  expect(problem('in.contract', 'minRows', 5)).toBe(
    `an option is changed as a whole; give in.contract with all its keys as JSON: in.contract='{"minRows":5}'.`,
  );
});

it('leaves a stage whose plugin is not here to where it runs', () => {
  expect(optionProblem(p, new Map(), 'in', 'foo', 1)).toBeUndefined();
});
