import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runsFromSource, SOURCE_CONDITION } from './package-exports.ts';

/**
 * Starts a module of ours as a process of its own, from its source or built, as this one runs. What it prints is piped.
 *
 * @param module URL of the module without its ending
 */
export function forkModule(module: URL, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const sourceFlags = runsFromSource
    ? ['--import', import.meta.resolve('tsx'), `--conditions=${SOURCE_CONDITION}`]
    : [];
  return fork(`${fileURLToPath(module)}${runsFromSource ? '.ts' : '.js'}`, [], {
    execArgv: sourceFlags,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
}
