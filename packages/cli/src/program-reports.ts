import { onServer, type CommandTools } from './program-temporal.ts';

const GROUP = 'Runs and results:';

/** Commands that show runs to people. */
export function reportCommands({ context, define, examples, storeOption, jsonOption }: CommandTools): void {
  onServer(define('report [run]', GROUP))
    .summary('a run as one HTML file that can be sent to anybody')
    .description(
      'Writes what came of a run as one HTML file: the stages as a graph, metrics beside baselines, trainings, figures,\ndata, lineage and the pipeline itself. It asks for nothing from elsewhere. A run that is not of this machine is looked for on the server.\nDefault: the newest run here.',
    )
    .option('-o, --output <file>', 'where to; default: RUN.html here; - for stdout')
    .option('--open', 'open it in the browser')
    .option('--markdown', 'Markdown for a pull request, to stdout unless --output names a file')
    .addOption(storeOption())
    .addOption(jsonOption('everything the report shows, as JSON'))
    .action(async (run, options) => (await import('./commands/report.ts')).report(context, run, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass report --open', 'the newest run, in the browser'],
        ['hourglass report --markdown >> summary.md', ''],
      ]),
    );

  define('compare <runs...>', GROUP)
    .summary('runs side by side: what differs, metrics, trainings')
    .description(
      'Shows which options, params and sources differ between runs, and their metrics beside the first one’s.',
    )
    .option('-o, --output <file>', 'an HTML file with the trainings laid over one another besides')
    .option('--open', 'open that file in the browser')
    .option('--markdown', 'Markdown instead of a table')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (runs, options) => (await import('./commands/compare.ts')).compare(context, runs, options))
    .addHelpText('after', examples([['hourglass compare 20261124 latest -o compared.html --open', '']]));
}
