import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Store } from '@hourglass/artifacts';
import {
  bind,
  compile,
  formatDiagnostics,
  HourglassError,
  optionProblem,
  skipStages,
  type CacheAnswer,
  type Plan,
  type StagePlan,
} from '@hourglass/core';
import { collect, listParts, pinnedNames, type Plugins, type Runner } from '@hourglass/runtime';
import type { Queues, RunRequest, StoreActivities } from '@hourglass/workflows';
import { failing } from './failing.ts';
import { placeHere } from './place-here.ts';
import { refuseLarge } from './result-guard.ts';
import { trim } from './stage-activity.ts';
import { writeReport } from './write-report.ts';

export interface StoreActivityOptions {
  store: Store;
  plugins: Plugins;
  runner: Runner;
  outDir: string;
  /** Queues as they are now. */
  queues(): Promise<Queues>;
}

/** Short work on the store, as local activities of the workflow. */
export function storeActivities(options: StoreActivityOptions): StoreActivities {
  const { store, plugins, runner, outDir, queues } = options;
  return {
    prepareRun: (request, { id, scheduledAt }) =>
      failing(async () => {
        await checkStore(request, store);
        const plan = skipStages(compileSource(request, plugins), request.skip ?? []);
        const { params, partition, seed, engine, only, from, force, overrides, unattended } = request;
        const state = bind(plan, {
          runId: id,
          scheduledAt,
          names: await pinnedNames(plan, store),
          ...{ params, partition, seed, engine, only, from, force, overrides, unattended },
        });
        const dataset = datasetOf(plan, plugins);
        const prepared = {
          plan,
          state,
          queues: await queues(),
          baseDir: request.baseDir,
          ...(request.carried === undefined ? {} : { carried: request.carried }),
          ...(request.outDir === undefined ? {} : { outDir: request.outDir }),
          ...(dataset === undefined ? {} : { dataset }),
        };
        refuseLarge(prepared, `The plan of ${plan.name}`);
        return prepared;
      }),
    lookupStages: (tasks, place, keep) =>
      failing(async () => {
        const answers = await runner.lookup(tasks, await placeHere(place, store, outDir), { remember: true });
        const trimmed = answers.map((answer, i): CacheAnswer =>
          answer.status === 'hit' ? { ...answer, result: trim(answer.result, keep[i] ?? {}) } : answer,
        );
        refuseLarge(trimmed, `Looking up ${tasks.length} stages`);
        return trimmed;
      }),
    listParts: (ref, offset, limit) => failing(() => listParts(store.artifacts, ref, offset, limit)),
    collectParts: (kind, entries, missing) => failing(() => collect(store.artifacts, kind, entries, missing)),
    publishName: (name, ref, runId) =>
      failing(async () => {
        const { version } = await store.names.publish(name, ref, { run: runId });
        return { version };
      }),
    checkOptions: (plan, stage, options) =>
      failing(async () => {
        for (const [name, value] of Object.entries(options)) {
          const path = `${stage}.${name}`;
          const dot = path.lastIndexOf('.');
          const problem = optionProblem(plan, plugins.registry, path.slice(0, dot), path.slice(dot + 1), value);
          if (problem !== undefined)
            throw new HourglassError('CALL_INVALID', `Options of \`${stage}\`: ${path}: ${problem}`);
        }
      }),
    writeReport: (view, run) => failing(() => writeReport(store, view, run)),
  };
}

/** The pipeline compiled by this build, from its files as submitted. @throws PIPELINE_INVALID */
export function compileSource({ name, source }: RunRequest, plugins: Plugins): Plan {
  const { file, files } = source;
  const { plan, diagnostics } = compile({ text: files[file]!, file }, plugins.registry, {
    readFile: (uses, fromFile) => {
      const path = joinPath(fromFile, uses);
      const text = files[path];
      return text === undefined ? { error: `${uses} was not submitted with ${file}` } : { text, file: path };
    },
  });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (plan !== undefined && errors.length === 0) return plan;
  throw new HourglassError(
    'PIPELINE_INVALID',
    `This worker's build does not accept ${name}: another version of a plugin, or a plugin that is not installed here.\n${formatDiagnostics(errors)}`,
  );
}

/** Relative to the file it is written in, with forward slashes on every system. */
export function joinPath(fromFile: string, relative: string): string {
  const folder = fromFile.includes('/') ? fromFile.slice(0, fromFile.lastIndexOf('/') + 1) : '';
  const steps: string[] = [];
  for (const step of `${folder}${relative}`.split('/'))
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  return `${fromFile.startsWith('/') ? '/' : ''}${steps.join('/')}`;
}

/** A worker with another store than the submitter's would find nothing and leave results where nobody looks. */
async function checkStore({ proof, baseDir, name }: RunRequest, store: Store): Promise<void> {
  if (proof === undefined || (await store.artifacts.has(proof.digest))) return;
  throw new HourglassError(
    'CALL_INVALID',
    `${name} was submitted with the store ${proof.store}, but this worker keeps artifacts in ${store.location}, which does not hold what the submitter put there. Give both the same store (--store, HOURGLASS_HOME)${existsSync(baseDir) ? '' : `; ${baseDir} is not on this machine either`}.`,
  );
}

/** Names of the files a plan reads, where they are written out. */
function datasetOf(plan: Plan, plugins: Plugins): string | undefined {
  const names: string[] = [];
  const visit = (stages: readonly StagePlan[]): void => {
    for (const { uses, options, group } of stages) {
      if (group) visit(group.stages);
      if (uses === undefined) continue;
      for (const option of plugins.stage(uses).manifest.sources ?? []) {
        const value = options[option];
        for (const uri of Array.isArray(value) ? value : [value])
          if (typeof uri === 'string' && !uri.includes('${{')) names.push(basename(uri));
      }
    }
  };
  visit(plan.stages);
  return names.length === 0 ? undefined : [...new Set(names)].join(', ').slice(0, 200);
}
