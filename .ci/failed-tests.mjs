// A line for each test, and each file, that did not pass: node .ci/failed-tests.mjs vitest.json
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const { name, status, message, assertionResults } of testResults) {
  const file = relative(process.cwd(), name);
  const bad = assertionResults.filter((test) => test.status !== 'passed');
  for (const test of bad) {
    const why = test.failureMessages?.[0]?.split('\n')[0] ?? test.status;
    console.log(`${file} > ${test.fullName}: ${why}`);
  }
  if (status === 'failed' && bad.length === 0) console.log(`${file}: ${message.split('\n')[0]}`);
}
