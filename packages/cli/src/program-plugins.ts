import type { CommandTools } from './program-temporal.ts';

const GROUP = 'This machine:';

/** Commands on plugins: those installed, and one to be written. */
export function pluginCommands({ context, define, examples, jsonOption }: CommandTools): void {
  const plugins = define('plugins', GROUP)
    .alias('plugin')
    .summary('installed plugins and their stages')
    .description('Lists installed plugins: packages with the keyword hourglass-plugin.')
    .addOption(jsonOption())
    .action(async (options) => (await import('./commands/plugins.ts')).list(context, options));
  define('show <name>', '', plugins)
    .summary('options, inputs and outputs of a plugin or a stage')
    .description('Shows a plugin (imputation) or one of its stages (imputation/train): options, inputs, outputs.')
    .addOption(jsonOption())
    .action(async (name, _, command) =>
      (await import('./commands/plugins.ts')).show(context, name, command.optsWithGlobals()),
    );
  define('new <name>', '', plugins)
    .summary('a plugin of your own, working as it stands')
    .description(
      'Writes the package of a new plugin: an application that trains, applies and measures, its example and its tests.\nChange it from there: docs/write-a-plugin.md.',
    )
    .option('-o, --output <folder>', 'where to; default: hourglass-plugin-NAME here')
    .option('--package <name>', 'name of the npm package; default: hourglass-plugin-NAME')
    .addOption(jsonOption())
    .action(async (name, _, command) =>
      (await import('./commands/plugin-new.ts')).newPlugin(context, name, command.optsWithGlobals()),
    )
    .addHelpText('after', examples([['hourglass plugin new churn-score', '']]));

  define('schema', GROUP)
    .summary('JSON Schema of the grammar with all installed plugins')
    .description(
      'Prints the JSON Schema of pipeline files with the options of every installed plugin, for editors:\n  # yaml-language-server: $schema=./pipeline.schema.json',
    )
    .option('-o, --output <file>', 'write it to a file')
    .action(async (options) => (await import('./commands/schema.ts')).schema(context, options));
}
