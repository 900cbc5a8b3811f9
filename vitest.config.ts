import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const packages = readdirSync(new URL('./packages', import.meta.url));

export default defineConfig({
  test: {
    // One project a package, so that `--project NAME` runs one package's tests; sources are consumed without a build.
    projects: packages.map((name) => ({
      root: `packages/${name}`,
      resolve: { conditions: ['@hourglass/source'] },
      ssr: { resolve: { conditions: ['@hourglass/source'] } },
      test: {
        name,
        include: ['src/**/__tests__/**/*.test.ts'],
        // Native modules (DuckDB, tensor engines) need a process of their own.
        pool: 'forks' as const,
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
  },
});
