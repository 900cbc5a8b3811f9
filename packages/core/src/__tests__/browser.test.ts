import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

describe('core', () => {
  it('bundles for a browser with nothing left outside', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [new URL('../index.ts', import.meta.url).pathname],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['@hourglass/source'],
      metafile: true,
      logLevel: 'silent',
    });
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
    expect(imports).toEqual([]);
    const inputs = Object.keys(metafile.inputs).join('\n');
    expect(inputs).not.toMatch(/tfjs|duckdb|apache-arrow|temporalio/);
    expect(outputFiles[0]!.text).not.toMatch(/\bprocess\.|require\(/);
  });
});
