import { engineStatuses } from '../resolve.ts';
import type { EngineName } from '../types.ts';

/**
 * Those of the engines that are here. One that must be installed may be missing on a user's machine, which is said
 * plainly; where `CI` is set nothing is passed over.
 */
export function testedEngines<N extends EngineName>(...names: N[]): N[] {
  return names.filter((name) => {
    const status = engineStatuses().find((one) => one.name === name)!;
    if (status.available) return true;
    const message = `The tests of engine ${name} cannot run: ${status.reason}. ${status.remedy}`;
    if (process.env.CI) throw new Error(message);
    console.warn(`SKIPPED. ${message}`);
    return false;
  });
}

/** The engines that trace a step and compile it. */
export type CompiledEngine = Exclude<EngineName, 'cpu' | 'wasm'>;

/**
 * The engines that compile steps. `HOURGLASS_TEST_ENGINES` names others than those any machine can have: with `webgpu`
 * the suite runs on a GPU.
 */
export function compiledEngines(): CompiledEngine[] {
  const named = process.env.HOURGLASS_TEST_ENGINES;
  return named ? (named.split(',') as CompiledEngine[]) : testedEngines('onnxruntime', 'tensorflow');
}
