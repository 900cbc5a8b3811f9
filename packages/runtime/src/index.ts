export type * from './types.ts';
export { discoverPlugins, loadPlugin, pluginSet } from './discover.ts';
export type { InstalledPlugin, PluginProblem, Plugins } from './discover.ts';
export type { CodeVersion } from './code-version.ts';
export { createRunner } from './runner.ts';
export type { RunOptions, Runner, RunnerOptions, StageLog } from './runner.ts';
export { cacheFolder, machineSlots } from './slots.ts';
export type { Slot, Slots } from './slots.ts';
