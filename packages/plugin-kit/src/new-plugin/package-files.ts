/** What the files around the sources need to know. */
export interface PackageFacts {
  name: string;
  packageName: string;
  place: 'workspace' | 'standalone';
  /** Of Hourglass. */
  version: string;
  /** What this package itself depends on: a plugin takes the same versions. */
  dependencies: Record<string, string>;
}

/** Packages of ours that the template imports. */
const OURS = ['autoencoder', 'dataset', 'metrics', 'plugin-kit'];
const TENSORS = '@tensorflow/tfjs';

/** The files around the sources: package.json, compiler and test settings. What differs between the places is here only. */
export function packageFiles(facts: PackageFacts): [string, string][] {
  return facts.place === 'workspace' ? workspaceFiles(facts) : standaloneFiles(facts);
}

function workspaceFiles(facts: PackageFacts): [string, string][] {
  const ours = Object.fromEntries(OURS.map((name) => [`@hourglass/${name}`, facts.version]));
  return [
    [
      'package.json',
      json({
        ...head(facts),
        license: 'Apache-2.0',
        exports: exportsOf('@hourglass/source'),
        files: ['dist'],
        scripts: {
          build: 'tsc -p tsconfig.build.json',
          test: `vitest run --root ../.. --project plugin-${facts.name}`,
        },
        dependencies: { ...ours, [TENSORS]: facts.dependencies[TENSORS], zod: facts.dependencies['zod'] },
      }),
    ],
    ['tsconfig.json', json({ extends: '../../tsconfig.base.json', include: ['src'] })],
    ['tsconfig.build.json', '{ "extends": "../../tsconfig.build.json" }\n'],
  ];
}

/**
 * Outside, what the plugin shares with its host is a peer: two copies of a package would be two classes of errors and two
 * registries of tensors.
 */
function standaloneFiles(facts: PackageFacts): [string, string][] {
  const range = `^${facts.version}`;
  return [
    [
      'package.json',
      json({
        ...head(facts),
        license: 'UNLICENSED',
        exports: exportsOf(),
        files: ['dist', 'examples'],
        scripts: {
          build: 'tsc -p tsconfig.build.json',
          test: 'npm run build && vitest run',
          prepublishOnly: 'npm test',
        },
        peerDependencies: {
          ...Object.fromEntries(OURS.map((name) => [`@hourglass/${name}`, range])),
          [TENSORS]: `^${facts.dependencies[TENSORS]}`,
        },
        dependencies: { zod: `^${facts.dependencies['zod']}` },
        devDependencies: {
          '@hourglass/cli': range,
          '@types/node': '^20.19.0',
          typescript: '^6.0.3',
          vitest: '^4.1.12',
        },
      }),
    ],
    [
      'tsconfig.json',
      json({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023'],
          types: ['node'],
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          strict: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
          isolatedModules: true,
          allowImportingTsExtensions: true,
          rewriteRelativeImportExtensions: true,
          skipLibCheck: true,
          noEmit: true,
        },
        include: ['src'],
      }),
    ],
    [
      'tsconfig.build.json',
      json({
        extends: './tsconfig.json',
        compilerOptions: {
          noEmit: false,
          declaration: true,
          sourceMap: true,
          inlineSources: true,
          rootDir: 'src',
          outDir: 'dist',
        },
        exclude: ['src/**/__tests__'],
      }),
    ],
    [
      'vitest.config.ts',
      `import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/__tests__/**/*.test.ts'],
    pool: 'forks', // native modules need a process of their own
    testTimeout: 120_000,
    // The conformance kit loads the stages of this package, which are TypeScript: it has to go through vitest as they do.
    server: { deps: { inline: ['@hourglass/plugin-kit'] } },
  },
});
`,
    ],
    ['.gitignore', 'node_modules/\ndist/\n.hourglass/\nout/\n'],
    // TensorFlow and ONNX bring download scripts that nothing here needs.
    ['.npmrc', 'ignore-scripts=true\n'],
  ];
}

const head = ({ name, packageName, version, place }: PackageFacts): Record<string, unknown> => ({
  name: packageName,
  version: place === 'workspace' ? version : '0.1.0',
  description: `Hourglass plugin ${name}: rows as an autoencoder expects them.`,
  type: 'module',
  engines: { node: '>=20.19' },
  // By this word it is found.
  keywords: ['hourglass-plugin'],
});

function exportsOf(source?: string): Record<string, unknown> {
  const entry = (path: string): Record<string, string> => ({
    ...(source === undefined ? {} : { [source]: `./src/${path}.ts` }),
    types: `./dist/${path}.d.ts`,
    default: `./dist/${path}.js`,
  });
  // A stage's name is its address: my-app/train is what "./train" exports.
  return { '.': entry('index'), './*': entry('*') };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
