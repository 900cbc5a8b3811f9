import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HourglassError } from '@hourglass/core';
import { packageFiles, type PackageFacts } from './new-plugin/package-files.ts';

/** A plugin that is to be made. */
export interface NewPlugin {
  /** Name its stages begin with: `my-app`. */
  name: string;
  /** @default `@hourglass/plugin-NAME` in this repository, `hourglass-plugin-NAME` elsewhere */
  packageName?: string;
  /** `workspace`: a package of this repository; `standalone`: a package of its own, on the packages as published. */
  place: 'workspace' | 'standalone';
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const TEMPLATE = new URL('../template/', import.meta.url);

/**
 * The files of a new plugin, by path: a package that builds, passes the conformance kit and runs its example pipeline.
 * Both generators write these, `nx g @hourglass/plugin-kit:plugin` and `hourglass plugin new`.
 * @throws CALL_INVALID when the name cannot be one of a plugin
 */
export function pluginFiles({ name, place, packageName = packageNameOf(name, place) }: NewPlugin): Map<string, string> {
  if (!NAME.test(name))
    throw new HourglassError(
      'CALL_INVALID',
      `Name of the plugin: expected lower-case words joined by "-", as in my-app, found "${name}". Stages are named after it: NAME/train.`,
    );
  const files = new Map<string, string>();
  for (const path of filesIn(TEMPLATE)) {
    const text = readFileSync(new URL(path, TEMPLATE), 'utf8');
    files.set(named(path, name), named(text, name).replaceAll('my-package', packageName));
  }
  const { version, dependencies } = ownPackage();
  for (const [path, text] of packageFiles({ name, place, packageName, version, dependencies })) files.set(path, text);
  return files;
}

/** Name of its package when none is given. */
export const packageNameOf = (name: string, place: NewPlugin['place']): string =>
  `${place === 'workspace' ? '@hourglass/plugin-' : 'hourglass-plugin-'}${name}`;

/** The template is a plugin that runs, named my-app. */
const named = (text: string, name: string): string =>
  text.replaceAll('my-app', name).replaceAll('my_app', name.replaceAll('-', '_'));

function filesIn(folder: URL, under = ''): string[] {
  return readdirSync(fileURLToPath(new URL(under, folder)), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(folder, `${under}${entry.name}/`) : [`${under}${entry.name}`],
  );
}

const ownPackage = (): Pick<PackageFacts, 'version' | 'dependencies'> =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageFacts;
