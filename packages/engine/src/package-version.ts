import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Version of an installed package, read from its package.json: loading the package itself would take far longer. */
export function packageVersion(name: string, require: NodeJS.Require = createRequire(import.meta.url)): string {
  return (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string }).version;
}
