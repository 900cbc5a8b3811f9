const load = require('../load.cjs');

/** `nx g @hourglass/plugin-kit:plugin NAME`: the files of a new plugin, in this workspace. */
module.exports = async function plugin(tree, { name, directory = `packages/plugin-${name}` }) {
  const { pluginFiles } = await load('new-plugin');
  if (tree.exists(`${directory}/package.json`)) throw new Error(`${directory} holds a package already.`);
  const files = pluginFiles({ name, place: 'workspace' });
  for (const [path, text] of files) tree.write(`${directory}/${path}`, text);
  const { formatFiles } = require('@nx/devkit');
  await formatFiles(tree);
  // Pipelines find it in node_modules, where npm links the packages of the workspace.
  return () => {
    console.log(
      `\nNext:\n  npm install --ignore-scripts   links the package\n  npm test -w @hourglass/plugin-${name}\n`,
    );
  };
};
