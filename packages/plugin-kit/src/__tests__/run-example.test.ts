import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { runExample, testExamples } from '../testing/run-example.ts';

const fixtures = new URL('../../fixtures/', import.meta.url);

testExamples(new URL('examples/', fixtures));

it('fails an example whose gate says no, naming both sides', async () => {
  await expect(runExample(fileURLToPath(new URL('strict.yaml', fixtures)))).rejects.toThrow(
    /strict\.yaml failed: table: .*3.*100/,
  );
});

it('fails an example that does not compile, with the place', async () => {
  await expect(runExample(fileURLToPath(new URL('table.csv', fixtures)))).rejects.toThrow(
    /table\.csv does not compile/,
  );
});
