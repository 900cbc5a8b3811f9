import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PluginManifest, StageManifest } from '@hourglass/core';
import { didYouMean, HourglassError } from '@hourglass/core';
import { codeVersion, type CodeVersion } from './code-version.ts';
import { type PackageJson, resolveExport, runsFromSource } from './package-exports.ts';
import { manifestProblems } from './plugin-manifest.ts';
import { versionMismatch } from './version-mismatch.ts';

/** A plugin package that can be used, and where its code is. */
export interface InstalledPlugin {
  manifest: PluginManifest;
  packageName: string;
  packageVersion: string;
  /** Folder of the package, symbolic links resolved. */
  root: string;
  /** True when the package is part of a workspace and its TypeScript sources are run. */
  source: boolean;
  /** File URL of the module whose `run` is the stage `id` (`imputation/train`). @throws PLUGIN_INVALID when the package does not export it */
  stageModule(id: string): string;
  /** What of the stage's code enters its cache key. Cheap when nothing changed. */
  codeVersion(id: string): CodeVersion;
}

/** A package with the keyword that cannot be used; the others work. */
export interface PluginProblem {
  packageName: string;
  root: string;
  message: string;
}

export interface Plugins {
  plugins: InstalledPlugin[];
  problems: PluginProblem[];
  /** Manifests by plugin name: what `compile` takes. */
  registry: Map<string, PluginManifest>;
  /** The stage and its plugin. @throws STAGE_NOT_FOUND with near names */
  stage(id: string): { plugin: InstalledPlugin; manifest: StageManifest };
}

const KEYWORD = 'hourglass-plugin';

type FoundPlugin = { root: string; json: PackageJson };

/** Loads a manifest's module; a host that has bundled the manifests gives its own. @default import(url) */
export type ImportModule = (url: string) => Promise<unknown>;

/**
 * Finds the plugins: packages with the keyword `hourglass-plugin` that `from` lies in (a plugin whose own examples are run),
 * in the `node_modules` folders from there upwards (an installed package or a link to a workspace package) and then beside
 * Hourglass itself, nearest first. Only manifests are loaded.
 */
export async function discoverPlugins(
  options: { from?: string | string[]; importModule?: ImportModule } = {},
): Promise<Plugins> {
  const folders = [options.from ?? process.cwd()].flat();
  const found = new Map<string, FoundPlugin>();
  for (const folder of [...folders, dirname(fileURLToPath(import.meta.url))])
    for (const above of foldersUp(folder))
      for (const candidate of [...packageAt(above), ...packagesIn(join(above, 'node_modules'))])
        if (!found.has(candidate.json.name)) found.set(candidate.json.name, candidate);
  const loaded = await Promise.all([...found.values()].map(({ root, json }) => load(root, json, options.importModule)));
  const plugins: InstalledPlugin[] = [];
  const problems: PluginProblem[] = [];
  for (const item of loaded) {
    if ('message' in item) {
      problems.push(item);
      continue;
    }
    const other = plugins.find((plugin) => plugin.manifest.name === item.manifest.name);
    if (other === undefined) plugins.push(item);
    else
      problems.push({
        packageName: item.packageName,
        root: item.root,
        message: `Plugin ${item.packageName} declares the name "${item.manifest.name}", which ${other.packageName} already has; ${other.packageName} is used.`,
      });
  }
  return pluginSet(plugins, problems);
}

/** Plugins from manifests and folders already at hand. */
export function pluginSet(plugins: InstalledPlugin[], problems: PluginProblem[] = []): Plugins {
  plugins.sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
  const registry = new Map(plugins.map((plugin) => [plugin.manifest.name, plugin.manifest]));
  const stages = new Map(
    plugins.flatMap((plugin) =>
      Object.values(plugin.manifest.stages).map((manifest) => [manifest.id, { plugin, manifest }] as const),
    ),
  );
  return {
    plugins,
    problems,
    registry,
    stage(id) {
      const entry = stages.get(id);
      if (entry !== undefined) return entry;
      const near = didYouMean(id, [...stages.keys()]);
      const broken = problems.length
        ? ` Unusable plugins: ${problems.map((problem) => problem.packageName).join(', ')}.`
        : '';
      throw new HourglassError(
        'STAGE_NOT_FOUND',
        `No installed plugin has the stage "${id}".${near ? ` Did you mean "${near}"?` : ''}${broken}`,
        { details: { stage: id } },
      );
    },
  };
}

/** An `InstalledPlugin` of a package folder, without looking for it. @throws PLUGIN_INVALID */
export async function loadPlugin(root: string): Promise<InstalledPlugin> {
  const json = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
  const loaded = await load(realpathSync(root), json);
  if ('message' in loaded) throw new HourglassError('PLUGIN_INVALID', loaded.message, { details: { root } });
  return loaded;
}

async function load(
  root: string,
  json: PackageJson,
  importModule: ImportModule = (url) => import(url),
): Promise<InstalledPlugin | PluginProblem> {
  const problem = (message: string): PluginProblem => ({
    packageName: json.name,
    root,
    message: `Plugin ${json.name} ${json.version} (${root}) cannot be used: ${message}`,
  });
  const mismatch = versionMismatch(json);
  if (mismatch !== undefined) return problem(mismatch);
  const source = runsFromSource && !root.includes(`${sep}node_modules${sep}`);
  const entry = resolveExport(root, json, '.', { source });
  if (entry === undefined)
    return problem('its package.json exports no "." that exists. Build or reinstall the package.');
  let exported: unknown;
  try {
    exported = ((await importModule(pathToFileURL(entry).href)) as { default?: unknown }).default;
  } catch (error) {
    return problem(`loading ${entry} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const mistakes = manifestProblems(exported);
  if (mistakes.length > 0) return problem(mistakes.join('; '));
  const manifest = exported as PluginManifest;
  const stageFile = (id: string): string => {
    const name = id.slice(id.indexOf('/') + 1);
    const file = resolveExport(root, json, `./${name}`, { source });
    if (file !== undefined) return file;
    throw new HourglassError(
      'PLUGIN_INVALID',
      `Plugin ${json.name} declares the stage "${id}" but exports no "./${name}": expected ${join(root, 'src', `${name}.ts`)} with an exported "run".`,
      { details: { stage: id, root } },
    );
  };
  return {
    manifest,
    packageName: json.name,
    packageVersion: json.version,
    root,
    source,
    stageModule: (id) => pathToFileURL(stageFile(id)).href,
    codeVersion: (id) => codeVersion({ root, json, source, file: stageFile(id) }),
  };
}

function* foldersUp(from: string): Iterable<string> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

/** Packages with the keyword in one `node_modules`. */
const packagesIn = (modules: string): FoundPlugin[] =>
  packageNames(modules).flatMap((name) => packageAt(join(modules, name)));

/** The package of a folder where it has the keyword. Only a package.json that holds the word is parsed. */
function packageAt(folder: string): FoundPlugin[] {
  let text: Buffer;
  try {
    text = readFileSync(join(folder, 'package.json'));
  } catch {
    return []; // Not a package: `.bin`, a folder left over.
  }
  if (!text.includes(KEYWORD)) return [];
  try {
    const json = JSON.parse(text.toString('utf8')) as PackageJson;
    return json.name && json.keywords?.includes(KEYWORD) ? [{ root: realpathSync(folder), json }] : [];
  } catch {
    return []; // npm itself could not use this package.
  }
}

function packageNames(modules: string): string[] {
  const names: string[] = [];
  for (const name of list(modules)) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) names.push(...list(join(modules, name)).map((inner) => `${name}/${inner}`));
    else names.push(name);
  }
  return names;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
