const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

/**
 * A module of this package for Nx, which loads its plugins by `require`: of the sources in a checkout, of `dist` when
 * installed.
 *
 * @param {string} name module under `src`, without ending
 */
module.exports = async function load(name) {
  const root = join(__dirname, '..');
  const source = join(root, 'src', `${name}.ts`);
  if (!existsSync(source)) return import(pathToFileURL(join(root, 'dist', `${name}.js`)).href);
  const { register } = await import('node:module');
  register(
    `data:text/javascript,export const resolve = (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['@hourglass/source', ...context.conditions] })`,
  );
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(pathToFileURL(source).href, pathToFileURL(__filename).href);
};
