import type { Plugins } from '@hourglass/runtime';
import { discoverPlugins } from '@hourglass/runtime';
import type { CliContext } from './context.ts';

/** Plugins as seen from a folder (and from the current one). Those that cannot be used are said on stderr, once. */
export async function loadPlugins(context: CliContext, folder?: string): Promise<Plugins> {
  const { importModule, cwd, stderr, errorColors: c } = context;
  const from = folder && folder !== cwd ? [folder, cwd] : [cwd];
  const plugins = await discoverPlugins({ from, importModule });
  for (const problem of plugins.problems) stderr.write(`${c.yellow('warning')} ${problem.message}\n`);
  return plugins;
}
