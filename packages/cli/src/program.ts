import { Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from './context.ts';
import { pluginCommands } from './program-plugins.ts';
import { reportCommands } from './program-reports.ts';
import { onServer, temporalCommands } from './program-temporal.ts';
import { version } from './version.ts';

/** What a command leaves behind besides its output. */
export interface ProgramState {
  exitCode: number;
  json: boolean;
  /** Arguments as they were typed. */
  argv: readonly string[];
}

const GROUPS = {
  pipelines: 'Pipelines:',
  results: 'Runs and results:',
  machine: 'This machine:',
};

const collect = (value: string, all: string[] = []): string[] => [...all, value];

const list = (value: string, all: string[] = []): string[] => [
  ...all,
  ...value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
];

function integer(minimum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || !Number.isSafeInteger(number))
      throw new InvalidArgumentError(`Expected an integer from ${minimum}, found "${value}".`);
    return number;
  };
}

const examples = (lines: [string, string][]): string => {
  const width = Math.max(...lines.map(([call]) => call.length));
  return `\nExamples:\n${lines.map(([call, what]) => `  ${call.padEnd(width)}  ${what}`.trimEnd()).join('\n')}\n`;
};

const storeOption = (): Option =>
  new Option(
    '--store <place>',
    'artifact store: a folder or s3://bucket/prefix; default: HOURGLASS_HOME, else .hourglass here',
  );
const jsonOption = (what = 'JSON instead of text'): Option => new Option('--json', what);

/** Options that decide what a run of a file is: the same for `run` and `plan`. */
function bindingOptions(command: Command): Command {
  return command
    .option('-p, --param <name=value>', 'set a param of the pipeline (repeat for several)', collect)
    .option('--only <stage>', 'just these stages and what they need (comma-separated or repeated)', list)
    .option('--from <stage>', 'these stages and all after them anew, what precedes from the cache', list)
    .option('--force [stage]', 'ignore cached results: of all stages, or of those named', (value: string, all) =>
      Array.isArray(all) ? [...all, ...list(value)] : list(value),
    )
    .option('--seed <integer>', 'seed of everything random', integer(0))
    .option('--engine <name>', 'tensor engine: auto, tensorflow, onnxruntime, webgpu, wasm or cpu')
    .option('--at <time>', 'scheduled time of the run (ISO 8601), for run.scheduledAt and run.partition')
    .option('--out <folder>', 'where relative destinations go; default: the current folder')
    .addOption(storeOption());
}

/** The command line as commander reads it; each command's code is loaded when it is called. */
export function createProgram(context: CliContext, state: ProgramState): Command {
  const program = new Command('hourglass');
  const { colors: c } = context;

  program
    .description('Declarative autoencoder pipelines: one YAML file from table to model to table.')
    .version(version(), '-V, --version', 'the version')
    .helpOption('-h, --help', 'this help')
    .option('--debug', 'causes and stacks of errors')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .addHelpCommand(
      new Command('help').argument('[command]').description('help on a command').helpGroup(GROUPS.machine),
    )
    .configureHelp({
      styleTitle: (text) => c.bold(text),
      styleCommandText: (text) => c.cyan(text),
      styleSubcommandText: (text) => c.cyan(text),
      styleOptionText: (text) => c.cyan(text),
      styleArgumentText: (text) => c.cyan(text),
      helpWidth: Math.min(context.stdout.columns ?? 100, 110),
      subcommandTerm: (command) => {
        const args = command.registeredArguments.map(
          (arg) => `${arg.required ? '' : '['}${arg.name()}${arg.variadic ? '…' : ''}${arg.required ? '' : ']'}`,
        );
        return [command.name(), ...args].join(' ');
      },
    })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 100, 110),
      getErrHelpWidth: () => Math.min(context.stderr.columns ?? 100, 110),
      outputError: (text, write) => {
        const message = text
          .replace(/^error: /, '')
          .replace(/\n\(Did you mean ([^?]+)\?\)/, ' Did you mean $1?')
          .trim();
        if (state.json)
          context.stdout.write(`${JSON.stringify({ type: 'error', code: 'CALL_INVALID', message, details: {} })}\n`);
        const e = context.errorColors;
        write(
          `${e.red(e.bold('error'))} ${e.bold('CALL_INVALID')} ${message}\n  ${e.cyan('→')} hourglass --help lists the commands, hourglass COMMAND --help its options.\n`,
        );
      },
    })
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      examples([
        ['hourglass run pipeline.yaml', 'run it; what is known already is not computed again'],
        ['hourglass plan pipeline.yaml -p rate=0.3', 'what would run, and why'],
        ['hourglass init table.parquet > mine.yaml', 'a pipeline for a table of your own'],
        ['hourglass apply MODEL new.parquet -o out.parquet', 'use a trained model'],
      ]) + '\nExit codes: 0 ok · 1 a stage failed · 2 pipeline or call wrong · 3 a gate said no · 130 interrupted\n',
    );

  const define = (nameAndArgs: string, group: string, parent: Command = program): Command => {
    const command = parent.command(nameAndArgs).helpGroup(group).exitOverride().helpOption('-h, --help', 'this help');
    if (parent === program) command.option('--debug', 'causes and stacks of errors').option('--no-color', 'no colours');
    command.copyInheritedSettings(parent);
    return command;
  };

  bindingOptions(define('run <file>', GROUPS.pipelines))
    .summary('run a pipeline')
    .description(
      'Runs a pipeline. Stages whose inputs, options and code are as before are taken from the cache;\nan interrupted run is continued by running it again.',
    )
    .option('--max-parallel <n>', 'stages side by side at the most', integer(1))
    .option('--plain', 'one line an event instead of a live view')
    .option('--report', 'write a report of the run besides: RUN.html in the folder of --out')
    .option('--open', 'write it and open it in the browser')
    .addOption(jsonOption('one JSON event a line'))
    .action(async (file, options) => (await import('./commands/run.ts')).run(context, state, file, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass run p.yaml', 'Ctrl-C once stops and keeps checkpoints, twice stops at once'],
        ['hourglass run p.yaml -p rate=0.3 --seed 8', ''],
        ['hourglass run p.yaml --only train', 'train and what it needs'],
        ['hourglass run p.yaml --from train', 'train and all after it anew'],
        ['hourglass run p.yaml --force evaluate', 'this one stage anew'],
        ['hourglass run p.yaml --json | jq -r \'select(.type=="progress").message\'', ''],
      ]),
    );

  bindingOptions(define('plan <file>', GROUPS.pipelines))
    .summary('what a run would do, and why')
    .description(
      'Says for each stage what a run would do: RUN, HIT (cached) or UNKNOWN (waits for a result), with the reason.\nNothing is run.',
    )
    .addOption(jsonOption())
    .action(async (file, options) => (await import('./commands/plan.ts')).plan(context, state, file, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass plan p.yaml', ''],
        ['hourglass plan p.yaml -p rate=0.3', 'what a change costs, before it is made'],
      ]),
    );

  define('validate <files...>', GROUPS.pipelines)
    .summary('find every mistake in pipeline files')
    .description('Checks pipeline files as a run would, all mistakes in one pass, each with its line.')
    .addOption(jsonOption())
    .action(async (files, options) => (await import('./commands/validate.ts')).validate(context, state, files, options))
    .addHelpText('after', examples([['hourglass validate workflows/pipelines/*.yaml', '']]));

  define('compile <file>', GROUPS.pipelines)
    .summary('print the Plan of a pipeline as JSON')
    .description('Prints the Plan: the checked pipeline with edges resolved and defaults filled in, as hosts run it.')
    .option('-o, --output <file>', 'write it to a file')
    .action(async (file, options) => (await import('./commands/compile.ts')).compilePipeline(context, file, options));

  define('init <table>', GROUPS.pipelines)
    .summary('propose a pipeline for a table')
    .description(
      'Looks at the columns of a Parquet or CSV file and proposes a commented pipeline that runs as it stands.',
    )
    .option('-o, --output <file>', 'write it to a file (never over one that exists)')
    .option('--name <name>', 'name of the pipeline; default: after the file')
    .action(async (table, options) => (await import('./commands/init.ts')).init(context, table, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass init customers.parquet -o mine.yaml', ''],
        ['hourglass run mine.yaml', ''],
      ]),
    );

  define('apply <model> <input>', GROUPS.results)
    .summary('use a trained model on a table')
    .description(
      'Applies a model to a file as the model itself says: fill, encode, reconstruct …\nMODEL is a digest, its first letters, or a published name (name@latest).',
    )
    .option(
      '-o, --output <file>',
      'where to write; default: INPUT with the read-out in its name, in the current folder',
    )
    .option('--engine <name>', 'tensor engine; default: auto')
    .option('-k <n>', 'of an index: so many matches a query', integer(1))
    .option(
      '--with <option=value>',
      "set an option of the read-out's stage, else of the one that reads or writes; stage.option=value says which: apply, ingest or export (repeat for several)",
      collect,
    )
    .option('--plain', 'one line an event instead of a live view')
    .addOption(storeOption())
    .addOption(jsonOption('one JSON event a line'))
    .action(async (model, input, options) =>
      (await import('./commands/apply.ts')).apply(context, state, model, input, options),
    )
    .addHelpText(
      'after',
      examples([
        ['hourglass apply 3fa9c1 monday.parquet -o monday-filled.parquet', ''],
        ['hourglass apply digits_index query.parquet -k 5', 'search an index'],
        ['hourglass apply denoiser scans -o clean --with ingest.brokenLimit=0.5', 'set broken pictures aside'],
      ]),
    );

  const runs = define('runs', GROUPS.results)
    .summary('runs of this store, and what came of them')
    .description('Lists runs, newest first.')
    .option('-n, --limit <n>', 'so many at the most', integer(1), 20)
    .option('--pipeline <name>', 'of one pipeline')
    .option('--status <status>', 'in one of these states (comma-separated or repeated): succeeded, failed, …', list)
    .option('--since <when>', 'started since: a duration back (12h, 7d) or a date (ISO 8601)')
    .option('--sort <key>', 'by when (newest first), time (longest first), pipeline, or a metric (smallest first)')
    .option('--reverse', 'the other way round')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (options) => (await import('./commands/runs.ts')).listAll(context, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass runs --status failed --since 7d', ''],
        ['hourglass runs --pipeline letter_sweep --sort rmse', 'the best first'],
      ]),
    );
  define('show [id]', '', runs)
    .summary('one run: stages, metrics, outputs, reasons')
    .description(
      'Shows one run: its stages with times and reasons, metrics, files written. Default: the newest.\nThe first letters of an id do.',
    )
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (id, _, command) =>
      (await import('./commands/runs.ts')).show(context, id, command.optsWithGlobals()),
    );

  onServer(define('retry <run>', GROUPS.results))
    .summary('continue a closed run, with options changed')
    .description(
      'A new run of the same pipeline: finished stages come from the cache, options may be changed or stages left out. Of a run\nthat is held open after a failure, here or on the server, the failed stages are tried again.',
    )
    .option('--with <stage.option=value>', 'change an option (repeat for several)', collect)
    .option('--skip <stage>', 'leave a stage out; its dependants too, unless they say otherwise', list)
    .option('--engine <name>', 'tensor engine')
    .option('--max-parallel <n>', 'stages side by side at the most', integer(1))
    .option('--wait', 'of a run on the server: watch it until it ends')
    .option('--plain', 'one line an event instead of a live view')
    .addOption(storeOption())
    .addOption(jsonOption('one JSON event a line'))
    .action(async (run, options) => (await import('./commands/retry.ts')).retry(context, state, run, options))
    .addHelpText('after', examples([['hourglass retry 2026-11-24 --with train.epochs=50', '']]));

  for (const decision of ['approve', 'reject'] as const)
    onServer(define(`${decision} <run> <stage>`, GROUPS.results))
      .summary(decision === 'approve' ? 'say yes to a stage that waits for a person' : 'say no to one')
      .description(
        decision === 'approve'
          ? 'Says yes to a stage that waits for a person; the run goes on.'
          : 'Says no to a stage that waits for a person; the run fails there.',
      )
      .option('--reason <text>', 'kept with the run')
      .option('--by <name>', 'who says so; default: the user')
      .addOption(storeOption())
      .addOption(jsonOption())
      .action(async (run, stage, options) =>
        (await import('./commands/decide.ts')).decide(context, decision, run, stage, options),
      );

  const tools = { context, state, define, bindingOptions, examples, integer, list, storeOption, jsonOption };
  reportCommands(tools);
  temporalCommands(tools);
  pluginCommands(tools);

  const names = define('names', GROUPS.results)
    .summary('published, versioned names of artifacts')
    .description('Names that pipelines publish and `named("x@latest")` reads.');
  define('ls', '', names)
    .summary('all names')
    .description('Lists the names with their newest versions and aliases.')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (_, command) => (await import('./commands/names.ts')).list(context, command.optsWithGlobals()));
  define('show <name>', '', names)
    .summary('what a name means: x, x@3, x@champion')
    .description('Shows the version a reference means.')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (name, _, command) =>
      (await import('./commands/names.ts')).show(context, name, command.optsWithGlobals()),
    );
  define('history <name>', '', names)
    .summary('versions and aliases of a name over time')
    .description('Versions and alias changes, oldest first.')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (name, _, command) =>
      (await import('./commands/names.ts')).history(context, name, command.optsWithGlobals()),
    );
  define('promote <reference> <alias>', '', names)
    .summary('point an alias at a version')
    .description('Points an alias at a version, as in `promote churn@3 champion`.')
    .option('--by <name>', 'who does so; default: the user')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (reference, alias, _, command) =>
      (await import('./commands/names.ts')).promote(context, reference, alias, command.optsWithGlobals()),
    );

  const artifacts = define('artifacts', GROUPS.results)
    .summary('what the store holds')
    .description('Datasets, models and metrics in the store.');
  define('ls', '', artifacts)
    .summary('all artifacts, newest first')
    .description('Lists artifacts, newest first.')
    .option('--kind <kind>', 'of one kind: dataset, model, metrics, figures, report')
    .option('-n, --limit <n>', 'so many at the most', integer(1), 50)
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (_, command) => (await import('./commands/artifacts.ts')).list(context, command.optsWithGlobals()));
  define('show <artifact>', '', artifacts)
    .summary('one artifact: columns, parts, where it came from')
    .description('Shows one artifact by digest, its first letters, or a name.')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (reference, _, command) =>
      (await import('./commands/artifacts.ts')).show(context, reference, command.optsWithGlobals()),
    );
  define('verify', '', artifacts)
    .summary('check every byte')
    .description('Checks every byte of the store; exit code 1 when something is missing or changed.')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (_, command) =>
      (await import('./commands/artifacts.ts')).verify(context, state, command.optsWithGlobals()),
    );
  define('gc', '', artifacts)
    .summary('delete what nothing refers to')
    .description('Deletes what no result, name or run refers to; with --keep-days also results nobody asked for since.')
    .option('--keep-days <n>', 'forget results not used for so many days', integer(0))
    .option('--keep-versions <n>', 'of each name keep so many versions (and all aliases)', integer(1))
    .option('--dry-run', 'say what would go, delete nothing')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (_, command) => (await import('./commands/artifacts.ts')).gc(context, command.optsWithGlobals()));

  const engine = define('engine', GROUPS.machine)
    .summary('tensor engines: which are here, install one')
    .description('Lists tensor engines, best first; the first that is here is what `auto` chooses.')
    .addOption(jsonOption())
    .action(async (options) => (await import('./commands/engine.ts')).list(context, options));
  define('list', '', engine)
    .summary('every engine, present or not, why, and the remedy')
    .description('Lists tensor engines, best first; the first that is here is what `auto` chooses.')
    .addOption(jsonOption())
    .action(async (_, command) => (await import('./commands/engine.ts')).list(context, command.optsWithGlobals()));
  define('bench', '', engine)
    .summary('what a training step costs on each engine of this machine')
    .description('Trains small nets on every engine that is here and prints ms a step. Takes some seconds an engine.')
    .option('--engines <names>', 'only these, with commas between')
    .option('--nets <names>', 'mlp-small, tabular, mlp-large, conv, unet; default: mlp-small,tabular,conv')
    .addOption(jsonOption())
    .action(async (_, command) => (await import('./commands/engine.ts')).bench(context, command.optsWithGlobals()));
  define('install <name>', '', engine)
    .summary('install an engine (tensorflow)')
    .description(
      'Installs TensorFlow for Node into a folder of the user: needs pip, npm and a C++ compiler, no Python at run time.\nCan be repeated: what is whole is kept, what is damaged or missing is put right.',
    )
    .option('--cuda', 'the build for NVIDIA GPUs')
    .option('--wheel <file>', 'a TensorFlow wheel that is already here')
    .action(async (name, options) => (await import('./commands/engine.ts')).install(context, name, options));
  define('uninstall <name>', '', engine)
    .summary('remove an installed engine')
    .description('Removes what `engine install` put there.')
    .action(async (name) => (await import('./commands/engine.ts')).uninstall(context, name));

  define('doctor', GROUPS.machine)
    .summary('check this machine and say what is missing')
    .description(
      'Checks Node, engines, threads, disk, store and plugins, and says what is missing and the remedy.\nExit code 0 when Hourglass can be used.',
    )
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(context, state, options));

  return program;
}
