const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const KEYWORD = 'hourglass-plugin';

/**
 * Nx plugin (`"plugins": ["@hourglass/plugin-kit/nx"]` in nx.json): a package with the keyword `hourglass-plugin` is a
 * project of type plugin, whose import rules hold, with targets of its own beside its scripts `build` and `test`. So a new
 * one needs no project.json.
 *
 * - `conformance`: the conformance kit alone
 * - `check-pipelines`: every example checked as a run would, nothing run
 */
exports.name = '@hourglass/plugin-kit/nx';

exports.createNodes = [
  '**/package.json',
  (files, _options, { workspaceRoot }) =>
    files.flatMap((file) => {
      const root = dirname(file);
      // Inside another package: a fixture or a template, no project.
      if (files.some((other) => other !== file && dirname(other) !== '.' && root.startsWith(`${dirname(other)}/`)))
        return [];
      const project = projectOf(join(workspaceRoot, root));
      return project === undefined ? [] : [[file, { projects: { [root]: project } }]];
    }),
];

function projectOf(folder) {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  if (!text.includes(KEYWORD)) return undefined;
  const { name, keywords } = JSON.parse(text);
  if (!name || !keywords?.includes(KEYWORD)) return undefined;
  const run = (command, more) => ({
    executor: 'nx:run-commands',
    options: { command, cwd: '{projectRoot}' },
    cache: true,
    inputs: ['default', '^production'],
    ...more,
  });
  // A workspace that runs its sources needs no build first.
  const dependsOn = text.includes('@hourglass/source') ? [] : ['build'];
  const targets = {};
  if (existsSync(join(folder, 'src/__tests__/conformance.test.ts')))
    targets.conformance = run('npm test --silent -- conformance');
  if (existsSync(join(folder, 'examples')))
    targets['check-pipelines'] = run('hourglass validate examples/*.yaml', { dependsOn });
  return { name, tags: ['type:plugin'], targets };
}
