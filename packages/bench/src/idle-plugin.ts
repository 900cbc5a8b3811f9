import { fileURLToPath } from 'node:url';
import { loadPlugin, type Plugins, pluginSet } from '@hourglass/runtime';

/** The plugin whose stage does nothing: what remains is the overhead of running one. */
export async function idlePlugin(): Promise<Plugins> {
  return pluginSet([await loadPlugin(fileURLToPath(new URL('../fixtures/plugin-idle', import.meta.url)))]);
}
