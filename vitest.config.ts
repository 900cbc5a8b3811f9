import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = readdirSync(new URL('./packages', import.meta.url)).map((name) => `packages/${name}`);
/** Their tests share one Temporal server, started before the first and stopped after the last. */
const ON_TEMPORAL = ['activities', 'packages/cli'];
const TEMPORAL_SERVER = fileURLToPath(
  new URL('./activities/src/__tests__/support/temporal-server.mjs', import.meta.url),
);

export default defineConfig({
  test: {
    // One project a package, so that `--project NAME` runs one package's tests; sources are consumed without a build.
    projects: [...packages, 'activities', 'workflows', 'infra', 'scripts'].map((root) => ({
      root,
      resolve: { conditions: ['@hourglass/source'] },
      ssr: { resolve: { conditions: ['@hourglass/source'] } },
      test: {
        name: basename(root),
        include: ['{src/**/,}__tests__/**/*.test.ts'],
        // Native modules (DuckDB, tensor engines) need a process of their own.
        pool: 'forks' as const,
        testTimeout: 120_000,
        hookTimeout: 120_000,
        ...(ON_TEMPORAL.includes(root) ? { globalSetup: [TEMPORAL_SERVER] } : {}),
      },
    })),
  },
});
