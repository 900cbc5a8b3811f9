import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HourglassError } from '@hourglass/core';
import { codeVersion } from './code-version.ts';
import { findPackage } from './find-package.ts';
import { resolveExport, runsFromSource } from './package-exports.ts';

const ENGINE = '@hourglass/engine';

/**
 * Version of the engine's own code. A stage reaches it through its context and not by imports, so it counts separately.
 */
export function engineCode(): Record<string, string> {
  const found = findPackage(ENGINE, dirname(fileURLToPath(import.meta.url)));
  const source = runsFromSource && found?.installed === false;
  const file = found && resolveExport(found.root, found.json, '.', { source });
  if (found === undefined || file === undefined)
    throw new HourglassError(
      'ENGINE_UNAVAILABLE',
      `The package ${ENGINE} is not installed beside the runtime. Reinstall Hourglass.`,
    );
  return { [ENGINE]: codeVersion({ root: found.root, json: found.json, source, file }).version };
}
