import { isAbsolute, resolve } from 'node:path';
import { cacheKey, isUri, type Store } from '@hourglass/artifacts';
import {
  type CacheKeyParts,
  didYouMean,
  HourglassError,
  type RunPlace,
  type StageManifest,
  type StageTask,
} from '@hourglass/core';
import { engineIdentity } from '@hourglass/engine';
import type { CodeVersion } from './code-version.ts';
import type { InstalledPlugin, Plugins } from './discover.ts';
import { engineCode } from './engine-package.ts';

/** A task with everything resolved that running it, or finding its result, needs. */
export interface PreparedTask {
  task: StageTask;
  plugin: InstalledPlugin;
  manifest: StageManifest;
  /** Defaults filled in; sources and sinks absolute. */
  options: Record<string, unknown>;
  /** Engine class where the stage computes with tensors. */
  engine?: { name: string; class: string };
  code: CodeVersion;
  parts: CacheKeyParts;
  key: string;
  /** Folder that relative sources start from. */
  baseDir: string;
  /** Destination URIs as written → where they are for this place. */
  sinks: Map<string, string>;
}

/**
 * Checks options and inputs, resolves paths against the place, fingerprints sources and computes the cache key.
 * @throws STAGE_NOT_FOUND, OPTION_INVALID, INPUT_INVALID, SOURCE_NOT_FOUND, ENGINE_UNAVAILABLE
 */
export async function prepareTask(
  task: StageTask,
  place: Pick<RunPlace, 'baseDir' | 'outDir'>,
  plugins: Plugins,
  store: Pick<Store, 'fingerprintSource'>,
): Promise<PreparedTask> {
  const { plugin, manifest } = plugins.stage(task.uses);
  const written = parseOptions(task, manifest);
  checkInputs(task, manifest);
  const options = { ...written };
  const baseDir = resolve(place.baseDir, task.dir ?? '.');
  const sources: Record<string, string> = {};
  for (const name of manifest.sources ?? []) {
    for (const uri of uris(written[name])) sources[uri] = (await store.fingerprintSource(uri, baseDir)).digest;
    options[name] = mapUris(written[name], (uri) => absolute(uri, baseDir));
  }
  const sinks = new Map<string, string>();
  for (const name of manifest.sinks ?? []) {
    for (const uri of uris(written[name])) sinks.set(uri, absolute(uri, place.outDir));
    options[name] = mapUris(written[name], (uri) => absolute(uri, place.outDir));
  }
  const code = plugin.codeVersion(task.uses);
  const identity = manifest.resources?.engine
    ? await engineIdentity(task.engine as Parameters<typeof engineIdentity>[0])
    : undefined;
  const parts: CacheKeyParts = {
    stage: task.uses,
    version: `${manifest.version}:${code.version}`,
    options: written,
    inputs: Object.fromEntries(
      Object.entries(task.inputs).map(([name, ref]) => [
        name,
        ref.missing?.length ? `${ref.digest} without ${ref.missing.join(',')}` : ref.digest,
      ]),
    ),
    sources,
    seed: task.seed,
    ...(identity ? { engine: identity.class } : {}),
    libraries: { ...code.libraries, ...(identity ? { ...identity.libraries, ...engineCode() } : {}) },
  };
  return {
    task,
    plugin,
    manifest,
    options,
    ...(identity ? { engine: { name: task.engine, class: identity.class } } : {}),
    code,
    parts,
    key: cacheKey(parts),
    baseDir,
    sinks,
  };
}

function parseOptions(task: StageTask, manifest: StageManifest): Record<string, unknown> {
  const known = Object.keys(manifest.options.shape);
  const unknown = Object.keys(task.options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown, known);
    throw new HourglassError(
      'OPTION_INVALID',
      `Stage ${task.path} (${task.uses}): unknown option "${unknown}".${near ? ` Did you mean "${near}"?` : ''} Options are ${known.join(', ') || 'none'}.`,
      { details: { stage: task.uses, option: unknown } },
    );
  }
  const parsed = manifest.options.safeParse(task.options);
  if (parsed.success) return parsed.data as Record<string, unknown>;
  const lines = parsed.error.issues.map((issue) => {
    const field = issue.path.map(String).join('.');
    const found = issue.path.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
      task.options,
    );
    return `option ${field || '(all)'}: ${issue.message}, found ${JSON.stringify(found) ?? 'nothing'}`;
  });
  throw new HourglassError('OPTION_INVALID', `Stage ${task.path} (${task.uses}): ${lines.join('; ')}.`, {
    details: { stage: task.uses, option: String(parsed.error.issues[0]?.path[0] ?? '') },
  });
}

function checkInputs(task: StageTask, manifest: StageManifest): void {
  const fail = (message: string): never => {
    throw new HourglassError('INPUT_INVALID', `Stage ${task.path} (${task.uses}): ${message}`, {
      details: { stage: task.uses },
    });
  };
  for (const [name, type] of Object.entries(manifest.inputs)) {
    const ref = task.inputs[name];
    if (ref === undefined) {
      if (!type.optional)
        fail(
          `input ${name} is missing; expected ${type.kind === 'model' && type.application ? `a model of ${type.application}` : `a ${type.kind}`}.`,
        );
    } else if (ref.kind !== type.kind) fail(`input ${name}: expected kind ${type.kind}, found ${ref.kind}.`);
    else if (type.application !== undefined && ref.application !== type.application)
      fail(`input ${name}: expected a model of ${type.application}, found one of ${ref.application ?? 'unknown'}.`);
  }
  const extra = Object.keys(task.inputs).find((name) => !(name in manifest.inputs));
  if (extra !== undefined)
    fail(`unknown input "${extra}"; inputs are ${Object.keys(manifest.inputs).join(', ') || 'none'}.`);
}

function uris(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).filter((uri): uri is string => typeof uri === 'string');
}

function mapUris(value: unknown, map: (uri: string) => string): unknown {
  if (Array.isArray(value)) return value.map((uri: unknown) => (typeof uri === 'string' ? map(uri) : uri));
  return typeof value === 'string' ? map(value) : value;
}

function absolute(uri: string, folder: string): string {
  return isAbsolute(uri) || isUri(uri) ? uri : resolve(folder, uri);
}
