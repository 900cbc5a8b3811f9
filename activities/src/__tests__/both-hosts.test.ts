import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '@hourglass/artifacts';
import type { RunState } from '@hourglass/core';
import { createRunner, runPipeline, type Plugins, type Runner } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { submitRun } from '../client/submit-run.ts';
import { compileSource } from '../worker/store-activities.ts';
import { workflowBundle } from '../worker/workflow-bundle.ts';
import { recordHistory } from './support/histories.ts';
import { makePlace, type Place } from './support/place.ts';

const library = fileURLToPath(new URL('../../../workflows/pipelines', import.meta.url));
/** Those that need no network: some fetch packages. */
const files = readdirSync(library).filter(
  (name) => name.endsWith('.yaml') && !readFileSync(join(library, name), 'utf8').includes('npm://'),
);
/** All of them and what they use, as they are submitted. */
const sources = Object.fromEntries(
  readdirSync(library, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [name, readFileSync(join(library, name), 'utf8')]),
);

/** Enough for every split and every class of the library's tables. */
const ROWS = 1500;

/** A library pipeline made quick: fewer rows, two epochs and one baseline, so that gates would not pass. */
function quick(name: string, plugins: Plugins): string {
  const visit = (stages: Record<string, any>): void => {
    for (const stage of Object.values(stages)) {
      delete stage.gate;
      delete stage.approve;
      if (stage.stages) visit(stage.stages);
      const shape = typeof stage.uses === 'string' && /^[^.]/.test(stage.uses) ? optionsOf(stage.uses) : {};
      stage.with ??= {};
      if (shape['epochs'] && stage.with.epochs !== 0) stage.with.epochs = 2;
      if (shape['sample'] && shape['contract']) {
        stage.with.sample ??= { rows: ROWS };
        delete stage.with.contract?.minRows;
      }
      if (Array.isArray(stage.with.baselines)) stage.with.baselines.splice(1);
    }
  };
  const optionsOf = (uses: string): Record<string, unknown> => plugins.stage(uses).manifest.options.shape;
  const document = parse(sources[name]!);
  visit(document.stages);
  return stringify(document);
}

const digests = ({ stages }: RunState): unknown =>
  Object.fromEntries(
    Object.entries(stages).map(([id, { status, outputs = {} }]) => [
      id,
      [status, ...Object.entries(outputs).map(([output, ref]) => [output, [ref].flat().map(({ digest }) => digest)])],
    ]),
  );

describe('every pipeline of the library', () => {
  let place: Place;
  let here: { store: Store; runner: Runner };

  // One worker and one runner for all, their stage processes warm; a host finds only what it computed itself.
  beforeAll(async () => {
    const ends: (() => Promise<void>)[] = [];
    place = await makePlace({ lasts: (end) => ends.push(end) });
    const store = await openStore(join(place.folder, 'store-here'));
    const runner = createRunner({ store, plugins: place.plugins });
    here = { store, runner };
    await place.worker();
    return async () => {
      await runner.close();
      for (const end of ends) await end();
    };
  });

  test.each(files)(
    '%s gives the same in this process and on Temporal',
    async (name) => {
      const { folder, client, settings, env, plugins } = place;
      const request: RunRequest = {
        name,
        source: { file: name, files: { ...sources, [name]: quick(name, plugins) } },
        baseDir: library,
        outDir: join(folder, 'out-temporal'),
        scheduledAt: '2026-11-25T03:00:00.000Z',
      };
      const plan = compileSource(request, plugins);
      const ran = await runPipeline({
        ...{ plan, plugins, ...here },
        baseDir: library,
        outDir: join(folder, 'out-here'),
        scheduledAt: request.scheduledAt,
      });
      expect(ran.error).toBeUndefined();

      const id = `both-${settings.taskQueue}-${basename(name, '.yaml')}`;
      const { workflowId } = await submitRun(client, settings, env, { plan, request, id });
      const { execution, view, failure } = await place.ended(workflowId);
      expect(failure).toBeUndefined();
      expect(execution).toBe('COMPLETED');
      expect(digests(view!.state!)).toEqual(digests(ran.state));

      // What was just recorded is replayed: nothing in it hangs on the moment.
      const history = await client.workflow.getHandle(workflowId).fetchHistory();
      const { codePath } = await workflowBundle();
      await Worker.runReplayHistory({ workflowBundle: { codePath } }, history);
      if (process.env['HOURGLASS_RECORD_HISTORIES'])
        recordHistory(basename(name, '.yaml'), history, {
          [library]: '/srv/hourglass/workflows/pipelines',
          [folder]: '/srv/run',
          [settings.taskQueue]: 'hourglass',
          [hostname()]: 'worker',
        });
    },
    600_000,
  );
});
