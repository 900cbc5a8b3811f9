import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { packageNameOf, pluginFiles } from '@hourglass/plugin-kit/new-plugin';
import type { CliContext } from '../context.ts';
import { loadPlugins } from '../load-plugins.ts';

export interface NewPluginFlags {
  /** Name of the npm package. */
  package?: string;
  output?: string;
  json?: boolean;
}

/** `hourglass plugin new NAME` */
export async function newPlugin(context: CliContext, name: string, options: NewPluginFlags): Promise<void> {
  const files = pluginFiles({ name, place: 'standalone', packageName: options.package });
  const taken = (await loadPlugins(context)).plugins.find(({ manifest }) => manifest.name === name);
  if (taken !== undefined)
    throw new HourglassError(
      'CALL_INVALID',
      `A plugin named "${name}" is installed already: ${taken.packageName}. Choose another name; stages are named after it.`,
    );
  const folder = resolve(context.cwd, options.output ?? packageNameOf(name, 'standalone'));
  if (existsSync(folder))
    throw new HourglassError('CALL_INVALID', `${folder} exists already. Choose another folder with --output.`);
  await writeWhole(folder, files);
  const shown = relative(context.cwd, folder) || '.';
  if (options.json) context.stdout.write(`${JSON.stringify({ name, folder, files: [...files.keys()] })}\n`);
  else
    context.stdout.write(
      `${shown}: ${files.size} files\n\n  cd ${shown}\n  npm install\n  npm test                                 builds it, runs the conformance kit and the example\n  npx hourglass run examples/${name}.yaml\n`,
    );
}

/** All files or none: beside the folder first, then renamed. */
async function writeWhole(folder: string, files: Map<string, string>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(`${folder}.tmp-`);
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), text);
    }
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
