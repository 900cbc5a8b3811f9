import type { Plugins } from '@hourglass/runtime';

/**
 * The plugins of a worker of another build: it compiles as this one does (the plan is pinned), but runs `toy/emit` in
 * another version, or not at all.
 */
export function pluginSet(plugins: Plugins, how: 'other-version' | 'without-stage'): Plugins {
  if (how === 'other-version')
    return {
      ...plugins,
      stage(id) {
        const { plugin, manifest } = plugins.stage(id);
        return { plugin, manifest: { ...manifest, version: manifest.version + 1 } };
      },
    };
  return {
    ...plugins,
    plugins: plugins.plugins.map((plugin) => {
      if (plugin.manifest.name !== 'toy') return plugin;
      const { emit: _, ...stages } = plugin.manifest.stages;
      return { ...plugin, manifest: { ...plugin.manifest, stages } };
    }),
  };
}
