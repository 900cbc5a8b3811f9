import { HourglassError } from './error.ts';
import type { PluginManifest, StageManifest } from './stage.ts';

/** Installed plugins by name. */
export type Registry = ReadonlyMap<string, PluginManifest>;

/**
 * A registry of plugin manifests.
 * @throws PLUGIN_INVALID when two plugins share a name, or a stage's id is not `plugin/stage`, or `with` would be ambiguous
 */
export function createRegistry(plugins: Iterable<PluginManifest>): Registry {
  const registry = new Map<string, PluginManifest>();
  const refuse = (plugin: PluginManifest, message: string): HourglassError =>
    new HourglassError('PLUGIN_INVALID', `Plugin \`${plugin.name}\`: ${message}`, { details: { plugin: plugin.name } });
  for (const plugin of plugins) {
    if (registry.has(plugin.name)) throw refuse(plugin, 'two plugins have this name; remove one of them.');
    for (const [name, stage] of Object.entries(plugin.stages)) {
      if (stage.id !== `${plugin.name}/${name}`)
        throw refuse(plugin, `the stage \`${name}\` has the id \`${stage.id}\`, expected \`${plugin.name}/${name}\`.`);
      const options = Object.keys(stage.options.shape);
      const clash = options.find((option) => Object.hasOwn(stage.inputs, option));
      if (clash)
        throw refuse(
          plugin,
          `\`${stage.id}\` has both an input and an option \`${clash}\`: \`with\` holds both, rename one.`,
        );
      for (const named of [...(stage.sources ?? []), ...(stage.sinks ?? [])])
        if (!options.includes(named))
          throw refuse(plugin, `\`${stage.id}\` lists \`${named}\` as a source or sink, but has no such option.`);
    }
    registry.set(plugin.name, plugin);
  }
  return registry;
}

/** Manifest of a stage by its id (`imputation/train`), or undefined. */
export function findStage(registry: Registry, id: string): StageManifest | undefined {
  const slash = id.indexOf('/');
  if (slash < 0) return undefined;
  const stages = registry.get(id.slice(0, slash))?.stages;
  const name = id.slice(slash + 1);
  return stages && Object.hasOwn(stages, name) ? stages[name] : undefined;
}

/** Ids of all stages, sorted. */
export function stageIds(registry: Registry): string[] {
  return [...registry.values()].flatMap((plugin) => Object.values(plugin.stages).map((stage) => stage.id)).sort();
}
