import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { HourglassError } from '@hourglass/core';

import { enginesFolder } from '../backends/tensorflow-location.ts';
import { command } from './command.ts';
import {
  DISK_NEEDED,
  HEADERS,
  LIBRARIES,
  LIBRARY_LINKS,
  NODE_API_HEADERS_VERSION,
  TENSORFLOW_VERSION,
  TFJS_NODE_VERSION,
  WHEEL_PLATFORMS,
} from './releases.ts';
import { selfTest } from './self-test.ts';
import { fetchWheel, sha256, unzip, wheelHashes, wheelVersion } from './wheel.ts';

export interface InstallOptions {
  /** The GPU build: tfjs-node-gpu with the CUDA libraries of the nvidia wheels. @default false */
  cuda?: boolean;
  /** A TensorFlow wheel that is already here, for machines without pip or network. */
  wheel?: string;
  /** One line for each thing done. */
  onStep?: (line: string) => void;
  signal?: AbortSignal;
}

export interface InstallRecord {
  packageName: string;
  tensorflow: string;
  /** sha256 of the wheel, hex. */
  wheel: string;
  folder: string;
  /** sha256 of the libraries and the addon, hex, by path within the folder. */
  files: Record<string, string>;
}

/** Folder of the installed TensorFlow, apart from any project. */
export const tensorflowHome = (): string => join(enginesFolder(), 'tensorflow');

/**
 * Installs TensorFlow for Node: the C library out of its Python wheel, tfjs-node from npm, and the addon between them
 * built here. Can be repeated and interrupted: finished steps are found and skipped, and nothing counts as installed
 * before the last step wrote its record.
 *
 * @throws ENGINE_UNAVAILABLE naming what is missing on this machine and the remedy
 * @throws DISK_FULL when the engines folder has too little room
 */
export async function installTensorflow(options: InstallOptions = {}): Promise<InstallRecord> {
  const { cuda = false, signal, onStep = () => {} } = options;
  const home = tensorflowHome();
  const packageName = cuda ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  const installed = await readRecord(home);
  if (installed?.packageName === packageName) {
    const damaged = await firstDamaged(installed.folder, installed.files);
    if (damaged === undefined) {
      onStep(`already installed, every byte as it was: TensorFlow ${installed.tensorflow} in ${home}`);
      return installed;
    }
    onStep(`${damaged} is not as it was installed: installing again`);
    await rm(join(home, 'install.json'), { force: true });
  }
  if (process.platform !== 'linux' || !WHEEL_PLATFORMS[process.arch])
    throw new HourglassError(
      'ENGINE_UNAVAILABLE',
      `Expected Linux on x64 or arm64, found ${process.platform} ${process.arch}. ` +
        'Add the stock package to your project instead: npm install @tensorflow/tfjs-node.',
    );
  if (options.wheel) wheelVersion(options.wheel);
  const compiler = process.env.CXX ?? 'g++';
  await command(compiler, ['--version'], {
    signal,
    remedy: 'Install a C++ compiler (Debian and Ubuntu: apt-get install g++), or set CXX.',
  });
  await mkdir(home, { recursive: true });
  onStep(await checkRoom(home, cuda ? DISK_NEEDED.cuda : DISK_NEEDED.cpu));

  const folder = join(home, 'node_modules', packageName);
  if (!existsSync(fetchedMark(home, packageName))) {
    onStep(`fetching ${packageName}@${TFJS_NODE_VERSION} from npm`);
    await fetchPackages(home, packageName, signal);
  }

  const library = cuda ? 'tensorflow' : 'tensorflow-cpu';
  const wheels = join(home, 'wheels');
  const fetched = async (): Promise<string> => {
    onStep(`fetching the wheel ${library} ${TENSORFLOW_VERSION} (about ${cuda ? 600 : 275} MB) with pip`);
    return fetchWheel(`${library}==${TENSORFLOW_VERSION}`, wheels, signal);
  };
  let wheel = options.wheel ?? (await fetched());
  onStep(`unpacking ${LIBRARIES.length} libraries and ${HEADERS.length} headers`);
  try {
    await stageLibrary(wheel, folder);
  } catch (error) {
    // One of ours that an interrupted download left behind is worth a second try.
    if (options.wheel || !(error instanceof HourglassError)) throw error;
    onStep(error.message);
    await rm(wheels, { recursive: true, force: true });
    wheel = await fetched();
    await stageLibrary(wheel, folder);
  }
  if (cuda) await stageCuda(wheel, folder, home, options);

  onStep(`building the addon with ${compiler} (about 15 s)`);
  await buildAddon(compiler, home, packageName, signal);

  onStep('trying it: one matrix product and its gradient');
  await selfTest(home, packageName, signal);
  const parts = [...LIBRARIES.map((file) => join('deps', 'lib', file)), addonFile];
  const hashes = await Promise.all(parts.map(async (file) => [file, await sha256(join(folder, file))] as const));
  const record: InstallRecord = {
    packageName,
    tensorflow: wheelVersion(wheel),
    wheel: await sha256(wheel),
    folder,
    files: Object.fromEntries(hashes),
  };
  await writeFile(join(home, 'install.json.part'), `${JSON.stringify(record, null, 2)}\n`, { flush: true });
  await rename(join(home, 'install.json.part'), join(home, 'install.json'));
  await rm(wheels, { recursive: true, force: true });
  onStep(`TensorFlow ${record.tensorflow} is ready in ${home}`);
  return record;
}

/** Removes what `installTensorflow` put into the engines folder. @returns whether there was anything */
export async function uninstallTensorflow(): Promise<boolean> {
  const there = existsSync(tensorflowHome());
  await rm(tensorflowHome(), { recursive: true, force: true });
  return there;
}

const addonFile = join('lib', 'napi-v8', 'tfjs_binding.node');
/** Written when npm was done with a package. */
const fetchedMark = (home: string, packageName: string) => join(home, 'node_modules', packageName, '.fetched');

/** The first file that is missing or has other bytes, if any. */
async function firstDamaged(folder: string, files: Record<string, string> = {}): Promise<string | undefined> {
  // A record of an earlier version has no hashes.
  if (Object.keys(files).length === 0) return addonFile;
  for (const [file, hash] of Object.entries(files)) {
    const path = join(folder, file);
    if (!existsSync(path) || (await sha256(path)) !== hash) return file;
  }
  return undefined;
}

async function readRecord(home: string): Promise<InstallRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(home, 'install.json'), 'utf8')) as InstallRecord;
  } catch {
    return undefined;
  }
}

async function checkRoom(home: string, needed: number): Promise<string> {
  const { bavail, bsize } = await statfs(home);
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (bavail * bsize >= needed) return `${gb(needed)} of disk are needed in ${home}, ${gb(bavail * bsize)} are free`;
  throw new HourglassError(
    'DISK_FULL',
    `${home}: expected ${gb(needed)} of room for TensorFlow, found ${gb(bavail * bsize)}. ` +
      'Free some, or set HOURGLASS_ENGINES to a folder on another disk.',
  );
}

/** tfjs-node without its install script (which downloads another TensorFlow), and the headers of Node's C API. */
async function fetchPackages(home: string, packageName: string, signal?: AbortSignal): Promise<void> {
  await writeFile(join(home, 'package.json'), `${JSON.stringify({ private: true })}\n`);
  const wanted = [`${packageName}@${TFJS_NODE_VERSION}`, `node-api-headers@${NODE_API_HEADERS_VERSION}`];
  await command('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...wanted], {
    cwd: home,
    signal,
    remedy: 'Check that npm reaches its registry, then run the same command again.',
  });
  // Ours serves it as well (one-tfjs.ts), so its own copies of tfjs would only take room.
  const scope = join(home, 'node_modules', '@tensorflow');
  for (const copy of ['', '-core', '-converter', '-data', '-layers', '-backend-cpu', '-backend-webgl'])
    await rm(join(scope, `tfjs${copy}`), { recursive: true, force: true });
  await writeFile(fetchedMark(home, packageName), '', { flush: true });
}

/** Takes libraries and headers out of the wheel, those that are not there with the bytes the wheel's own list has. */
async function stageLibrary(wheel: string, folder: string): Promise<void> {
  const targets = new Map<string, string>([
    ...LIBRARIES.map((file): [string, string] => [`tensorflow/${file}`, join(folder, 'deps', 'lib', file)]),
    ...HEADERS.map((file): [string, string] => [`tensorflow/include/${file}`, join(folder, 'deps', 'include', file)]),
  ]);
  const hashes = await wheelHashes(wheel);
  const wrong = async () => {
    const bad: string[] = [];
    for (const [entry, target] of targets)
      if (!existsSync(target) || (await sha256(target)) !== hashes.get(entry)) bad.push(entry);
    return bad;
  };
  const wanted = new Set(await wrong());
  await unzip(wheel, (entry) => (wanted.has(entry) ? targets.get(entry) : undefined));
  const missing = wanted.size ? await wrong() : [];
  if (missing.length)
    throw new HourglassError(
      'ENGINE_UNAVAILABLE',
      `${wheel}: expected ${missing.slice(0, 3).join(', ')} in it, with the hashes of its list of files. ` +
        `Use a whole wheel of TensorFlow ${TENSORFLOW_VERSION}.`,
    );
  for (const [link, file] of Object.entries(LIBRARY_LINKS)) {
    const path = join(folder, 'deps', 'lib', link);
    await rm(path, { force: true });
    await symlink(file, path);
  }
}

/** The CUDA libraries, under the folder TensorFlow looks in: `$ORIGIN/../nvidia` of its own libraries. */
async function stageCuda(wheel: string, folder: string, home: string, options: InstallOptions): Promise<void> {
  let metadata = '';
  const file = join(home, 'METADATA');
  await unzip(wheel, (entry) => (entry.endsWith('.dist-info/METADATA') ? file : undefined));
  metadata = await readFile(file, 'utf8');
  const wanted = [...metadata.matchAll(/^Requires-Dist: (nvidia-[\w-]+)\s*\(?([^;)\n]*)\)?;.*and-cuda/gm)];
  for (const [, name, range] of wanted) {
    options.onStep?.(`fetching ${name}`);
    const nvidia = await fetchWheel(`${name}${range!.trim()}`, join(home, 'wheels', name!), options.signal);
    await unzip(nvidia, (entry) => (entry.startsWith('nvidia/') ? join(folder, 'deps', entry) : undefined));
  }
}

/** Compiles the addon's two sources directly: N-API needs neither node-gyp nor Python. */
async function buildAddon(compiler: string, home: string, packageName: string, signal?: AbortSignal): Promise<void> {
  const folder = join(home, 'node_modules', packageName);
  const addon = join(folder, addonFile);
  await mkdir(join(addon, '..'), { recursive: true });
  const args = ['-O2', '-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'];
  args.push('-I..', '-Ideps/include', `-I${join(home, 'node_modules', 'node-api-headers', 'include')}`);
  args.push('binding/tfjs_backend.cc', 'binding/tfjs_binding.cc', '-o', `${addon}.part`);
  args.push('-Ldeps/lib', '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib');
  await command(compiler, args, {
    cwd: folder,
    signal,
    remedy: 'A C++17 compiler is needed (g++ 9 or newer, or set CXX).',
  });
  await rename(`${addon}.part`, addon);
}
