import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { compile, formatDiagnostics } from '@hourglass/core';
import { createRunner, discoverPlugins, type Plugins, type RunRecord, runPipeline } from '@hourglass/runtime';
import { describe, it } from 'vitest';

import { CheckFailed } from './check.ts';

export interface ExampleOptions {
  /** @default those installed where the example lies */
  plugins?: Plugins;
  /** Values for its params, to make it quicker. */
  params?: Record<string, unknown>;
  engine?: string;
}

/**
 * Runs one pipeline file with an empty store and destinations of its own, removed afterwards.
 * @throws CheckFailed when it does not compile, a stage fails or a gate says no
 */
export async function runExample(file: string, options: ExampleOptions = {}): Promise<RunRecord> {
  const plugins = options.plugins ?? (await discoverPlugins({ from: dirname(file) }));
  const text = await readFile(file, 'utf8');
  const { plan, diagnostics } = compile({ text, file }, plugins.registry, {
    readFile(path, from) {
      const nested = resolve(dirname(from), path);
      try {
        return { file: nested, text: readFileSync(nested, 'utf8') };
      } catch (error) {
        return { error: (error as Error).message };
      }
    },
  });
  if (!plan) throw new CheckFailed(`${basename(file)} does not compile:\n${formatDiagnostics(diagnostics)}`);
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-example-'));
  const store = await openStore(join(folder, 'store'));
  const runner = createRunner({ store, plugins });
  try {
    const record = await runPipeline({
      plan,
      store,
      runner,
      plugins,
      baseDir: dirname(file),
      outDir: join(folder, 'out'),
      params: options.params,
      engine: options.engine,
      unattended: true,
    });
    if (record.status !== 'succeeded') throw new CheckFailed(`${basename(file)} ${record.status}: ${failures(record)}`);
    return record;
  } finally {
    await runner.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Registers a test for every `*.yaml` of a folder: it runs, and its gates say yes. A folder without any is a mistake. */
export function testExamples(folder: URL | string, options: ExampleOptions = {}): void {
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const files = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  describe(`examples of ${path}`, () => {
    if (files.length === 0)
      it('are there', () => {
        throw new CheckFailed(`expected pipelines (*.yaml) in ${path}, found none`);
      });
    for (const name of files)
      it(`${name} runs and passes its gates`, async () => {
        await runExample(join(path, name), options);
      });
  });
}

function failures({ state, error }: RunRecord): string {
  const failed = Object.entries(state.stages).filter(([, stage]) => stage.error !== undefined);
  if (failed.length === 0) return error?.message ?? 'no reason recorded';
  return failed.map(([id, stage]) => `${id}: ${stage.error!.message}`).join('\n');
}
