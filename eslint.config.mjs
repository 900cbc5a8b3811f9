import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Who may import whom: docs/architecture.md draws the same picture. */
const boundaries = [
  { sourceTag: 'type:core', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:core', 'type:lib'] },
  { sourceTag: 'type:plugin', onlyDependOnLibsWithTags: ['type:core', 'type:lib'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: ['type:core', 'type:lib', 'type:plugin', 'type:activities', 'type:workflows'],
  },
  {
    // Its tests hold what is deployed against the code.
    sourceTag: 'type:infra',
    onlyDependOnLibsWithTags: ['type:core', 'type:activities', 'type:workflows', 'type:app'],
  },
  {
    sourceTag: 'type:activities',
    onlyDependOnLibsWithTags: ['type:core', 'type:lib', 'type:plugin', 'type:workflows'],
  },
  {
    sourceTag: 'type:workflows',
    onlyDependOnLibsWithTags: ['type:core'],
    bannedExternalImports: ['!(@temporalio/workflow|vitest)'],
  },
  { sourceTag: 'scope:no-tensors', bannedExternalImports: ['@tensorflow/*', 'onnxruntime-*'] },
];

const moduleBoundaries = (more) => [
  'error',
  { enforceBuildableLibDependency: false, allow: [], depConstraints: boundaries, ...more },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/.nx/**', '**/.hourglass/**', '**/out/**', '**/fixtures/**', '.venv/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': moduleBoundaries({
        // Its nets are loaded when asked for, itself it is light and loaded at once.
        checkDynamicDependenciesExceptions: ['@hourglass/engine', '@hourglass/engine/*'],
      }),
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    // Pure: the same code runs in a workflow bundle, an editor and a browser.
    files: ['packages/core/src/**/*.ts'],
    ignores: ['packages/core/src/**/__tests__/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*', 'fs', 'path', 'os', 'crypto'], message: 'core is pure: nothing of Node.' }] },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', '__dirname', 'setTimeout', 'setInterval'],
    },
  },
  {
    files: ['**/__tests__/**/*.ts'],
    rules: {
      // What a command loads when needed, its test may load at once.
      '@nx/enforce-module-boundaries': moduleBoundaries({ checkDynamicDependenciesExceptions: ['@hourglass/**'] }),
      'max-lines': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Nx loads its plugins by require.
    files: ['packages/plugin-kit/{nx,generators}/**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // A plugin that stands here for those to come: it imports the kit by name, as they will.
    files: ['packages/plugin-kit/template/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  prettier,
);
