import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import type { RunState } from '@hourglass/core';
import { createRunner, runPipeline } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { submitRun } from '../client/submit-run.ts';
import { compileSource } from '../worker/store-activities.ts';
import { workflowBundle } from '../worker/workflow-bundle.ts';
import { recordHistory } from './support/histories.ts';
import { makePlace } from './support/place.ts';
import { smallPackages } from './support/small-packages.ts';

const library = fileURLToPath(new URL('../../../workflows/pipelines', import.meta.url));
const files = readdirSync(library).filter((name) => name.endsWith('.yaml'));
/** All of them and what they use, as they are submitted. */
const sources = Object.fromEntries(
  readdirSync(library, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [name, readFileSync(join(library, name), 'utf8')]),
);

/** A library pipeline made quick: two epochs, one baseline, ten pictures and small packages, so that gates and contracts would not pass. */
function quick(name: string): string {
  const visit = (stages: Record<string, any>): void => {
    for (const stage of Object.values(stages)) {
      delete stage.gate;
      delete stage.approve;
      delete stage.with?.contract?.minRows;
      if (stage.with?.epochs) stage.with.epochs = 2;
      if (stage.with?.maxImages) {
        stage.with.maxImages = 10;
        if (stage.uses === 'denoising/evaluate') stage.with.baselines = ['gaussian'];
      }
      if (Array.isArray(stage.with?.baselines)) stage.with.baselines.splice(1);
      if (stage.stages) visit(stage.stages);
    }
  };
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

let packages: Awaited<ReturnType<typeof smallPackages>>;
beforeAll(async () => {
  packages = await smallPackages();
  vi.stubEnv('XDG_CACHE_HOME', packages.cache);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await packages.remove();
});

describe('every pipeline of the library', () => {
  test.each(files)(
    '%s gives the same in this process and on Temporal',
    async (name) => {
      const place = await makePlace();
      const { folder, client, settings, env, plugins } = place;
      const request: RunRequest = {
        name,
        source: { file: name, files: { ...sources, [name]: quick(name) } },
        baseDir: library,
        outDir: join(folder, 'out-temporal'),
        scheduledAt: '2026-11-25T03:00:00.000Z',
      };
      const plan = compileSource(request, plugins);
      const store = await openStore(join(folder, 'store-here'));
      const runner = createRunner({ store, plugins });
      const here = await runPipeline({
        ...{ plan, store, runner, plugins },
        baseDir: library,
        outDir: join(folder, 'out-here'),
        scheduledAt: request.scheduledAt,
      }).finally(() => runner.close());
      expect(here.error).toBeUndefined();

      await place.worker();
      const { workflowId } = await submitRun(client, settings, env, {
        plan,
        request,
        id: `both-${settings.taskQueue}`,
      });
      const { execution, view } = await place.ended(workflowId);
      expect(execution).toBe('COMPLETED');
      expect(digests(view!.state!)).toEqual(digests(here.state));

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
