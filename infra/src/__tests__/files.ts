import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runCommand } from '@hourglass/cli';
import { parseAllDocuments } from 'yaml';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const repository = join(root, '..');

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Files below a folder of this package, relative to the package. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules') && !path.startsWith('src/'))
    .sort();
}

/** The documents of a YAML file, anchors and merges resolved. @throws at the first mistake, with its place */
export function yaml(path: string): any[] {
  return parseAllDocuments(read(path), { merge: true, version: '1.2' }).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]!.message}`);
    return document.toJS();
  });
}

/** All resources of a kustomization, those it builds on included. @throws where one names a file that is not there */
export function kustomized(folder: string, seen: string[] = []): any[] {
  const path = `${folder}/kustomization.yaml`;
  seen.push(path);
  const [kustomization] = yaml(path);
  const files: string[] = kustomization.resources;
  const resources = files.flatMap((name) => {
    const at = relative(root, join(root, folder, name));
    if (!/\.ya?ml$/.test(name)) return kustomized(at, seen);
    seen.push(at);
    return yaml(at);
  });
  for (const name of kustomization.configurations ?? []) seen.push(`${folder}/${name}`);
  const gone = (kustomization.patches ?? [])
    .filter(({ patch }: { patch: string }) => patch.startsWith('$patch: delete'))
    .map(({ target }: { target: { kind: string; name: string } }) => `${target.kind} ${target.name}`);
  return resources.filter(({ kind, metadata }) => !gone.includes(`${kind} ${metadata.name}`));
}

/** Source text of everything that could read a variable of the environment. */
export function sources(): string {
  const folders = [
    'activities/src',
    'workflows/src',
    ...readdirSync(join(repository, 'packages')).map((name) => `packages/${name}/src`),
  ];
  const texts = folders.flatMap((folder) => below(join(repository, folder), /\.ts$/));
  return [...texts, ...below(dirname(fileURLToPath(import.meta.resolve('@temporalio/envconfig'))), /\.js$/)].join('\n');
}

/** Metrics of a worker, as Temporal's core names them, without their prefix. */
export function workerMetrics(): Set<string> {
  const core = dirname(fileURLToPath(import.meta.resolve('@temporalio/core-bridge/package.json')));
  const names = below(join(core, 'sdk-core/crates'), /^metrics\.rs$/)
    .join('\n')
    .matchAll(/"([a-z_]+)"/g);
  return new Set([...names].map(([, name]) => name!));
}

function below(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name) && !entry.parentPath.includes('__tests__'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

/** Help of a command, or undefined when there is no such command. */
export async function helpOf(command: string[]): Promise<string | undefined> {
  let out = '';
  const stream = { write: (text: string) => (out += text), columns: 200 };
  const context = createContext({ stdout: stream, stderr: { write: () => true }, env: {}, cwd: root });
  const code = await runCommand([...command, '--help'], context);
  const asked = command.filter((word) => /^[a-z-]+$/.test(word));
  return code === 0 && out.includes(`Usage: hourglass ${asked.join(' ')}`) ? out : undefined;
}
