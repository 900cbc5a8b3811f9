import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Diagnostic, Plan, ReadFile } from '@hourglass/core';
import { compile, HourglassError, nearNames } from '@hourglass/core';
import type { Plugins } from '@hourglass/runtime';
import type { CliContext } from './context.ts';
import { loadPlugins } from './load-plugins.ts';
import { renderDiagnostics } from './output/diagnostics.ts';

export interface LoadedPipeline {
  plan: Plan;
  plugins: Plugins;
  /** Absolute path. */
  file: string;
  /** The YAML itself. */
  text: string;
  /** Files it takes in by `uses: ./other.yaml`: absolute path and text. */
  included: { file: string; text: string }[];
  /** Remarks that do not stop a run. */
  warnings: Diagnostic[];
}

/** Reads a file the person named. @throws SOURCE_NOT_FOUND with near names */
export async function readPipelineFile(context: CliContext, file: string): Promise<{ path: string; text: string }> {
  const path = resolve(context.cwd, file);
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw await isFolder(path, file);
    return { path, text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof HourglassError) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw await notFound(context, path, file);
    throw new HourglassError('CALL_INVALID', `${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

/**
 * Reads and compiles a pipeline.
 * @throws PIPELINE_INVALID with every mistake in its message, SOURCE_NOT_FOUND with near names
 */
export async function loadPipeline(context: CliContext, file: string): Promise<LoadedPipeline> {
  const { path, text } = await readPipelineFile(context, file);
  const plugins = await loadPlugins(context, dirname(path));
  const included = new Map<string, string>();
  const { plan, diagnostics } = await compileFile(context, { path, text }, plugins, (read, content) =>
    included.set(read, content),
  );
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (plan === undefined || errors.length > 0) {
    const count = `${errors.length} ${errors.length === 1 ? 'mistake' : 'mistakes'} in ${shown(context, path)}; nothing was run.`;
    throw new HourglassError('PIPELINE_INVALID', `${count}\n\n${renderDiagnostics(errors, context.errorColors)}`, {
      details: { diagnostics },
    });
  }
  return {
    plan,
    plugins,
    file: path,
    text,
    included: [...included].map(([read, content]) => ({ file: read, text: content })),
    warnings: diagnostics.filter(({ severity }) => severity === 'warning'),
  };
}

/** Compiles text of a file; mistakes come back as diagnostics with the path as the person would write it. */
export async function compileFile(
  context: CliContext,
  { path, text }: { path: string; text: string },
  plugins: Plugins,
  onRead: (path: string, text: string) => void = () => undefined,
): Promise<{ plan?: Plan; diagnostics: Diagnostic[] }> {
  return compile({ text, file: shown(context, path) }, plugins.registry, {
    readFile: fileReader(context, path, onRead),
  });
}

/** The path as it is shortest from here. */
export function shown(context: CliContext, path: string): string {
  const short = relative(context.cwd, path);
  return short === '' ? '.' : short.startsWith(join('..', '..', '..')) ? path : short;
}

/**
 * Reads `uses: ./other.yaml`. Files outside the project (the nearest folder upwards that holds a package.json or .git, else the
 * pipeline's own) are refused: a pipeline must not change with what happens to lie elsewhere on a machine.
 */
function fileReader(context: CliContext, main: string, onRead: (path: string, text: string) => void): ReadFile {
  const project = projectOf(dirname(main));
  return (uses, fromFile) => {
    const path = resolve(dirname(resolve(context.cwd, fromFile)), uses);
    const inside = relative(project, path);
    if (inside.startsWith('..') || isAbsolute(inside))
      return { error: `${uses} lies outside the project ${project}; move it in, or give its stages here` };
    try {
      const text = readFileSync(path, 'utf8');
      onRead(path, text);
      return { text, file: shown(context, path) };
    } catch (error) {
      const near = nearNames(basename(path), namesIn(dirname(path))).map(
        (name) => `./${relative(dirname(resolve(context.cwd, fromFile)), join(dirname(path), name))}`,
      );
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return { error: `${uses} cannot be read: ${message}` };
      return { error: `there is no file ${uses}${near.length ? `; did you mean ${near[0]}?` : ''}` };
    }
  };
}

function projectOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json')) || existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return folder;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return [];
  }
}

async function yamlFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /\.ya?ml$/.test(name)).sort();
}

async function isFolder(path: string, file: string): Promise<HourglassError> {
  const inside = await yamlFilesIn(path);
  const list = inside.length ? ` It holds ${inside.slice(0, 8).join(', ')}${inside.length > 8 ? ' …' : ''}.` : '';
  return new HourglassError('CALL_INVALID', `${file} is a folder; expected a pipeline file (.yaml).${list}`);
}

/** Near names beside the file, and where this project keeps its pipelines. */
async function notFound(context: CliContext, path: string, file: string): Promise<HourglassError> {
  const folders = [dirname(path), join(context.cwd, 'workflows/pipelines'), join(context.cwd, 'pipelines')];
  const stem = (name: string): string => basename(name).replace(/\.ya?ml$/, '');
  const found: string[] = [];
  for (const folder of new Set(folders)) {
    const names = await yamlFilesIn(folder);
    const near = nearNames(stem(path), names.map(stem));
    for (const name of names) if (near.includes(stem(name))) found.push(shown(context, join(folder, name)));
  }
  const hint = found.length ? ` Did you mean ${found.slice(0, 3).join(' or ')}?` : '';
  return new HourglassError('CALL_INVALID', `No file ${file}: expected a pipeline file (.yaml).${hint}`, {
    details: { file: path },
  });
}
