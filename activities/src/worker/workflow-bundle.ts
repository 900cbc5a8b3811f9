import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HourglassError } from '@hourglass/core/interpreter';
import { cacheFolder } from '@hourglass/artifacts';
import { ENCODED_FAILURES } from '../connection/data-converter.ts';

const fromSource = import.meta.url.endsWith('.ts');
const require = createRequire(import.meta.url);

export interface WorkflowBundle {
  codePath: string;
  /** Of what went in. */
  digest: string;
}

/**
 * The workflow's code in one file, named by a digest of what goes in, and built once in a process of its own.
 * `encrypted`: failures' messages are encoded as well.
 */
export async function workflowBundle(options: { encrypted?: boolean; folder?: string } = {}): Promise<WorkflowBundle> {
  const entry = moduleOf('workflows/src/pipeline-workflow.ts', '@hourglass/workflows/pipeline-workflow');
  const core = moduleOf('packages/core/src/interpreter.ts', '@hourglass/core/interpreter');
  const failureConverterPath = options.encrypted ? ENCODED_FAILURES : undefined;
  const digest = await digestOf([dirname(entry), dirname(core)], String(failureConverterPath !== undefined));
  const folder = options.folder ?? join(cacheFolder(), 'workflow-bundles');
  const codePath = join(folder, `${digest}.js`);
  if (!existsSync(codePath)) {
    const conditions = fromSource ? ['@hourglass/source'] : [];
    const script = fileURLToPath(new URL('../../bin/build-workflow-bundle.mjs', import.meta.url));
    const call = JSON.stringify({ entry, out: codePath, conditions, failureConverterPath });
    try {
      await promisify(execFile)(process.execPath, [script, call], { maxBuffer: 2 ** 24 });
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      throw new HourglassError('INTERNAL', `The workflow cannot be bundled: ${stderr || message}`, { cause: error });
    }
  }
  return { codePath, digest };
}

/** A module of a package of ours: its source in a checkout, else what the package exports. */
function moduleOf(source: string, exported: string): string {
  return fromSource ? fileURLToPath(new URL(`../../../${source}`, import.meta.url)) : require.resolve(exported);
}

/** Of all code of the folders, and the version of the SDK that runs it. */
async function digestOf(folders: string[], variant: string): Promise<string> {
  const hash = createHash('sha256');
  const { version } = require('@temporalio/worker/package.json') as { version: string };
  hash.update(`${version} ${variant}`);
  for (const folder of folders) {
    const names = (await readdir(folder, { recursive: true })).filter(
      (name) => /\.(ts|js)$/.test(name) && !name.includes('__tests__') && !name.endsWith('.d.ts'),
    );
    for (const name of names.sort()) hash.update(`\n${name}\n`).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 20);
}
