import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu` was found. */
export interface TensorflowLocation {
  packageName: string;
  folder: string;
  /** A `require` that resolves it. */
  require: NodeJS.Require;
  /** False when the package is there but its addon is not built. */
  built: boolean;
}

/** Folder of engines installed apart from any project: `HOURGLASS_ENGINES`, or the user's cache folder. */
export const enginesFolder = (): string =>
  process.env.HOURGLASS_ENGINES ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hourglass', 'engines');

/**
 * Looks for TensorFlow without loading it: in the current folder's node_modules, beside this package, in the engines
 * folder; the GPU build before the other.
 */
export function findTensorflow(): TensorflowLocation | undefined {
  const bases = [join(process.cwd(), 'package.json'), import.meta.url];
  // The record is written last: without it an installation is unfinished.
  const home = join(enginesFolder(), 'tensorflow');
  if (existsSync(join(home, 'install.json'))) bases.push(join(home, 'package.json'));
  let unbuilt: TensorflowLocation | undefined;
  for (const packageName of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'])
    for (const base of bases) {
      const require = createRequire(base);
      let folder: string;
      try {
        folder = dirname(require.resolve(`${packageName}/package.json`));
      } catch {
        continue;
      }
      // The addon's folder is named after the N-API version it was built for.
      const built = [8, 7, 6, 5].some((v) => existsSync(join(folder, 'lib', `napi-v${v}`, 'tfjs_binding.node')));
      if (built) return { packageName, folder, require, built };
      unbuilt ??= { packageName, folder, require, built };
    }
  return unbuilt;
}
