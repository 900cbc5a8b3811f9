import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Worker } from '@temporalio/worker';
import { expect, onTestFinished, test } from 'vitest';
import { installTelemetry } from '../worker/telemetry.ts';
import { workflowBundle } from '../worker/workflow-bundle.ts';
import { recordedHistories } from './support/histories.ts';

installTelemetry(undefined);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const histories = recordedHistories();

/** What differs from the recorded history, if anything. */
async function replay(codePath: string, history: unknown): Promise<Error | undefined> {
  const results = Worker.runReplayHistories({ workflowBundle: { codePath } }, [{ workflowId: 'replayed', history }]);
  for await (const { error } of results) return error;
  throw new Error('nothing was replayed');
}

test.each(histories)(
  '$name, recorded with an earlier build, is replayed by this one',
  async ({ name, history, bytes }) => {
    expect(existsSync(join(root, 'workflows/pipelines', `${name}.yaml`))).toBe(true);
    // Whole: a history that was cut off would pass as well.
    expect(history.events.at(-1)!.eventType).toMatch(/WORKFLOW_EXECUTION_COMPLETED/);
    expect(bytes).toBeLessThan(64 * 1024);
    expect(JSON.stringify(history)).not.toMatch(/\/(home|work|root|Users)\//);
    const { codePath } = await workflowBundle();
    expect(await replay(codePath, history)).toBeUndefined();
  },
);

test.each(['skip-the-cache', 'wait-first'])(
  'an interpreter changed incompatibly (%s) is caught by the recorded histories',
  async (variant) => {
    const folder = mkdtempSync(join(tmpdir(), 'hourglass-bundle-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const out = join(folder, 'other.js');
    const changed = fileURLToPath(new URL(`./support/interpreter-${variant}.ts`, import.meta.url));
    const call = {
      entry: join(root, 'workflows/src/pipeline-workflow.ts'),
      out,
      conditions: ['@hourglass/source'],
      // The changed one takes the place of the interpreter, whose own file it imports by path.
      alias: { '@hourglass/core/interpreter$': changed },
    };
    execFileSync(process.execPath, [join(root, 'activities/bin/build-workflow-bundle.mjs'), JSON.stringify(call)]);
    const caught = await Promise.all(histories.map(async ({ history }) => replay(out, history)));
    for (const error of caught) expect(error?.message).toMatch(/Nondeterminism/);
  },
);

test('the bundle holds the interpreter and what it needs, and nothing that parses, computes or asks the machine', async () => {
  const { codePath } = await workflowBundle();
  const code = readFileSync(codePath, 'utf8');
  const modules = [...code.matchAll(/^\/\*\*\*\/ "([^"]+)"/gm)].map(([, name]) => name!);
  expect(modules.length).toBeGreaterThan(50);
  const packages = modules.flatMap(
    (name) => /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(name)?.[1] ?? [],
  );
  expect([...new Set(packages)].sort()).toEqual([
    '@marcbachmann/cel-js',
    '@temporalio/common',
    '@temporalio/workflow',
    'fastest-levenshtein',
    'long',
    'ms',
    'nexus-rpc',
  ]);
  const own = modules.filter((name) => !name.includes('node_modules') && /\.[cm]?[jt]s$/.test(name));
  for (const name of own) expect(name).toMatch(/(^|\/)(workflows\/src|packages\/core\/src)\//);
  // Of core nothing that reads files: it would bring a YAML parser and schemas.
  expect(own.filter((name) => /core\/src\/(compile|document|json-schema|builder|bind)/.test(name))).toEqual([]);
  const size = {
    modules: modules.length,
    KiB: Math.round(code.length / 1024),
    gzKiB: Math.round(gzipSync(code).length / 1024),
  };
  console.info(`workflow bundle: ${JSON.stringify(size)}`);
  expect(size.KiB).toBeLessThan(4096);
});
