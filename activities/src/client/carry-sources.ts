import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isUri, listSourceFiles, type Store } from '@hourglass/artifacts';
import {
  findStagePlan,
  HourglassError,
  stagePathOf,
  stagePaths,
  withNeeded,
  type BindOptions,
  type Plan,
  type StagePlan,
} from '@hourglass/core';
import { planPipeline, type Plugins } from '@hourglass/runtime';
import type { CarriedSources } from '../carried-sources.ts';

/** More than this is put where the workers are by other means than a submit. */
const LARGEST_CARRIED = 2 ** 30;

type Binding = Omit<BindOptions, 'runId' | 'scheduledAt' | 'names'> & { scheduledAt?: string };

/**
 * Puts the local sources that a run reads by relative paths into the store, so that workers elsewhere read the same bytes.
 * Absolute paths and URIs are left alone: they name a place that every machine has.
 * @returns the digest of a `CarriedSources`; undefined when there is nothing to carry
 * @throws SOURCE_NOT_FOUND; CALL_INVALID, by name, for what cannot be carried
 */
export async function carrySources(
  { store, plugins, plan, baseDir }: { store: Store; plugins: Plugins; plan: Plan; baseDir: string },
  binding: Binding,
): Promise<string | undefined> {
  /** What reads each file first. */
  const readers = new Map<string, string>();
  for (const { uri, dir, sure, path } of await sourcesOf(plan, plugins, store, baseDir, binding)) {
    try {
      for (const file of (await listSourceFiles(uri, resolve(baseDir, dir))).files)
        if (!readers.has(file)) readers.set(file, `${path}: ${uri}`);
    } catch (error) {
      // A stage that may be skipped need not have its source.
      if (sure) throw error;
    }
  }
  const files = [...readers.keys()].sort();
  if (files.length === 0) return undefined;
  const root = commonFolder([resolve(baseDir), ...files.map((file) => resolve(file, '..'))]);
  let total = 0;
  for (const [file, what] of readers)
    if ((total += (await stat(file)).size) > LARGEST_CARRIED)
      throw new HourglassError(
        'CALL_INVALID',
        `${what} and what else this run reads here is more than ${LARGEST_CARRIED / 2 ** 30} GiB: too much to carry to the workers with every submit. Put it into object storage and name it there (uri: s3://…), or at a path that every worker has.`,
      );
  const slashed = (path: string): string => path.split(sep).join('/');
  const carried: CarriedSources = { base: slashed(relative(root, resolve(baseDir))) || '.', files: [] };
  for (const file of files) {
    const blob = await store.artifacts.putBlob(createReadStream(file));
    carried.files.push({ path: slashed(relative(root, file)), digest: blob.digest, bytes: blob.bytes });
  }
  return (await store.artifacts.putBlob(new TextEncoder().encode(JSON.stringify(carried)))).digest;
}

interface SourceUse {
  path: string;
  uri: string;
  /** Folder it is relative to, from the pipeline's. */
  dir: string;
  /** The stage starts with the run. */
  sure: boolean;
}

/** Sources as the run's params make them, where its first stages read them; those written out, in all stages. */
async function sourcesOf(
  plan: Plan,
  plugins: Plugins,
  store: Store,
  baseDir: string,
  binding: Binding,
): Promise<SourceUse[]> {
  const uses: SourceUse[] = [];
  const known = new Set<string>();
  const add = (path: string, stage: string, options: Record<string, unknown>, dir: string, sure: boolean): string[] => {
    const open: string[] = [];
    for (const option of plugins.stage(stage).manifest.sources ?? [])
      for (const uri of [options[option]].flat())
        if (typeof uri !== 'string' || isAbsolute(uri) || isUri(uri)) continue;
        else if (!sure && uri.includes('${{')) open.push(uri);
        else uses.push({ path, uri, dir, sure });
    return open;
  };
  await planPipeline({
    ...binding,
    ...{ plan: { ...plan, stages: lookedUp(plan.stages) }, store, baseDir, outDir: baseDir },
    // Sources are the same, whatever is computed anew.
    ...{ force: undefined, from: undefined },
    runner: {
      lookup(tasks) {
        for (const { path, uses: stage, options, dir = '.' } of tasks) {
          known.add(stagePathOf(path));
          add(path, stage, options, dir, true);
        }
        return Promise.resolve(
          tasks.map(() => ({ status: 'miss' as const, key: '', reason: 'asked for its sources only' })),
        );
      },
    },
  });
  for (const path of binding.only ? withNeeded(plan, binding.only) : stagePaths(plan)) {
    const { uses: stage, options, dir = '.' } = findStagePlan(plan, path)!.stage;
    if (stage === undefined || known.has(path)) continue;
    const [open] = add(path, stage, options, dir, false);
    if (open !== undefined)
      throw new HourglassError(
        'CALL_INVALID',
        `\`${path}\` reads ${open}, which is known only while the run goes on, and this machine and the workers share the store ${store.location} only: it cannot be carried there. Write it out, or name a place that every worker has (s3://…, an absolute path).`,
      );
  }
  return uses;
}

/** Stages so that each is looked up as soon as it can be, all items of a fan-out side by side: nothing runs here. */
function lookedUp(stages: readonly StagePlan[]): StagePlan[] {
  return stages.map((stage) => ({
    ...stage,
    cache: true,
    ...(stage.fanOut ? { fanOut: { ...stage.fanOut, maxParallel: Infinity } } : {}),
    ...(stage.group ? { group: { ...stage.group, stages: lookedUp(stage.group.stages) } } : {}),
  }));
}

function commonFolder(folders: string[]): string {
  const [first, ...rest] = folders as [string, ...string[]];
  let common = first;
  for (const folder of rest)
    while (common !== folder && !folder.startsWith(common.endsWith(sep) ? common : common + sep))
      common = join(common, '..');
  return common;
}
