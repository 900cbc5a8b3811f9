import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Runs the command from the TypeScript sources of a checkout, fast: command, libraries and the manifests of the workspace's
 * plugins are bundled once into `node_modules/.cache` and bundled anew when one of the files that went in has changed.
 * (A loader that translates file by file costs 0.3 s each start, and unbundled dependencies as much again.)
 *
 * @param {URL} main the module that exports `main`
 * @returns {Promise<{ main: Function, importModule: (url: string) => Promise<unknown> }>}
 */
export async function load(main) {
  const root = fileURLToPath(new URL('../../../', main));
  let bundle;
  try {
    bundle = current(root) ?? (await build(root, fileURLToPath(main)));
  } catch (error) {
    // A cache folder that cannot be written (read-only checkout): translate file by file instead, slower.
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(error.code)) throw error;
    await translate();
    return { ...(await import(main.href)), importModule: (url) => import(url) };
  }
  const output = (url) => pathToFileURL(join(bundle.folder, bundle.modules[url])).href;
  return {
    ...(await import(output(main.href))),
    importModule: async (url) => {
      if (url in bundle.modules) return import(output(url));
      await translate();
      return import(url);
    },
  };
}

let translating;
/** Plugins from elsewhere may import our packages, whose sources then need a translating loader. */
function translate() {
  translating ??= (async () => {
    const { register } = await import('node:module');
    const { register: registerTsx } = await import('tsx/esm/api');
    register(
      `data:text/javascript,export const resolve = (specifier, context, next) =>
        next(specifier, { ...context, conditions: ['@hourglass/source', ...context.conditions] })`,
    );
    registerTsx();
  })();
  return translating;
}

const cacheOf = (root) => join(root, 'node_modules/.cache/hourglass');

/** Size and time of a file, or its absence: changes when the file does. */
function stamp(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs}` : 'absent';
}

/** The bundle, while nothing that went in has changed. */
function current(root) {
  let record;
  try {
    record = JSON.parse(readFileSync(join(cacheOf(root), 'current.json'), 'utf8'));
  } catch {
    return undefined;
  }
  if (record.node !== process.version || !record.stamps.every(([path, was]) => stamp(join(root, path)) === was))
    return undefined;
  const folder = join(cacheOf(root), record.folder);
  return statSync(folder, { throwIfNoEntry: false }) ? { folder, modules: record.modules } : undefined;
}

/** Pure JavaScript that is loaded at every start; all else from npm stays where it is and is loaded when needed. */
const BUNDLED = /^(zod|yaml|commander|picocolors|croner|fastest-levenshtein|@marcbachmann\/cel-js)(\/|$)/;

async function build(root, main) {
  const cache = cacheOf(root);
  const manifests = [];
  // Folders whose listing decides what goes in: a package added is a change.
  const watched = ['packages', 'package-lock.json', 'packages/cli/bin/from-sources.mjs'];
  for (const name of readdirSync(join(root, 'packages'))) {
    const file = join(root, 'packages', name, 'package.json');
    if (!statSync(file, { throwIfNoEntry: false })) continue;
    watched.push(`packages/${name}/package.json`);
    const index = join(root, 'packages', name, 'src/index.ts');
    if (JSON.parse(readFileSync(file, 'utf8')).keywords?.includes('hourglass-plugin')) manifests.push(index);
  }
  const temporary = join(cache, `tmp-${randomBytes(6).toString('hex')}`);
  mkdirSync(temporary, { recursive: true });
  const esbuild = await import('esbuild');
  const started = Date.now();
  let result;
  try {
    result = await esbuild.build({
      absWorkingDir: root,
      entryPoints: [main, ...manifests],
      outdir: temporary,
      outbase: join(root, 'packages'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['@hourglass/source'],
      // Less to read at every start; names stay, for stacks.
      minifyWhitespace: true,
      minifySyntax: true,
      sourcemap: 'linked',
      metafile: true,
      logLevel: 'silent',
      // CommonJS packages within call require for Node's own modules.
      banner: {
        js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(${JSON.stringify(pathToFileURL(main).href)});`,
      },
      plugins: [keepPlaces()],
    });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!error.errors) throw error;
    const lines = await esbuild.formatMessages(error.errors, { kind: 'error', color: process.stderr.isTTY ?? false });
    console.error(`The sources cannot be bundled:\n\n${lines.join('\n')}`);
    process.exit(2);
  }
  const modules = {};
  for (const [path, output] of Object.entries(result.metafile.outputs))
    if (output.entryPoint)
      modules[pathToFileURL(join(root, output.entryPoint)).href] = path
        .slice(path.indexOf('tmp-'))
        .split('/')
        .slice(1)
        .join('/');
  const inputs = Object.keys(result.metafile.inputs).filter((path) => !path.includes('node_modules'));
  const stamps = [...watched, ...inputs].map((path) => [path, stamp(join(root, path))]);
  // A file saved while we were building: the next start has to look again.
  for (const entry of stamps) {
    const stat = statSync(join(root, entry[0]), { throwIfNoEntry: false });
    if (stat && stat.isFile() && stat.mtimeMs >= started) entry[1] = 'changed';
  }
  const folder = createHash('sha256')
    .update(JSON.stringify([process.version, stamps]))
    .digest('hex')
    .slice(0, 16);
  place(temporary, join(cache, folder));
  const pointer = `${temporary}.json`;
  writeFileSync(pointer, JSON.stringify({ node: process.version, folder, modules, stamps }));
  renameSync(pointer, join(cache, 'current.json'));
  tidy(cache, folder);
  return { folder: join(cache, folder), modules };
}

/** Another process may have built the same at the same time: then its folder serves. */
function place(temporary, folder) {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    rmSync(temporary, { recursive: true, force: true });
    utimesSync(folder, new Date(), new Date());
  }
}

/** Earlier bundles go after a day: a process that runs may still load a chunk of its own. */
function tidy(cache, keep) {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat && name !== keep && name !== 'current.json' && Date.now() - stat.mtimeMs > 86_400_000)
      rmSync(path, { recursive: true, force: true });
  }
}

/** Sources keep their own address in `import.meta.url`; what is not bundled is found from where it is imported. */
function keepPlaces() {
  return {
    name: 'keep-places',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (path.includes('node_modules') || !text.includes('import.meta.url')) return undefined;
        const contents = text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
        return { contents, loader: 'ts' };
      });
      build.onResolve({ filter: /^[^./]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
        if (pluginData === 'resolved' || kind === 'entry-point' || path.startsWith('node:')) return undefined;
        if (path.startsWith('@hourglass/') || BUNDLED.test(path) || importer.includes('node_modules')) return undefined;
        const found = await build.resolve(path, { importer, kind, resolveDir, pluginData: 'resolved' });
        if (found.errors.length || found.external) return found.external ? found : undefined;
        return { path: pathToFileURL(found.path).href, external: true };
      });
    },
  };
}
